"""The artefacts of a bed."""

from pqbed_cli.flags import Form
from pqbed_cli.render.streams import beside, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import BuiltBed


def print_built(built: BuiltBed, form: Form) -> None:
    if form == "json":
        print_json({"bed": built.bed, "clock": built.clock, "artefacts": dict(built.artefacts)})
        return
    say = beside(form)
    if built.artefacts:
        rows = tuple(sorted(built.artefacts.items()))
        print_tables([Table(columns=("artefact", "identity"), rows=rows)], form)
    say("everything the bed needs is there")
