"""The artefacts of a bed."""

from pqbed_cli.render.streams import echo, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import BuiltBed


def print_built(built: BuiltBed, *, json_output: bool) -> None:
    if json_output:
        print_json({"bed": built.bed, "clock": built.clock, "artefacts": dict(built.artefacts)})
        return
    if built.artefacts:
        rows = tuple(sorted(built.artefacts.items()))
        print_tables([Table(columns=("artefact", "identity"), rows=rows)])
    echo("everything the bed needs is there")
