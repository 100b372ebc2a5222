"""The sweep file that was written, and the presets that one may start from."""

from collections.abc import Mapping

from pqbed_cli.flags import Form
from pqbed_cli.render.streams import echo, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import SweepFile


def print_sweep_file(written: SweepFile) -> None:
    echo(f"{written.path}: {written.cells} cells, from the preset {written.preset}")
    echo(f"next: pqbed plan --spec {written.path}, then pqbed sweep --spec {written.path}")


def print_presets(descriptions: Mapping[str, str], form: Form) -> None:
    if form == "json":
        print_json([{"name": name, "description": text} for name, text in descriptions.items()])
        return
    print_tables([Table(columns=("name", "what it measures"), rows=tuple(descriptions.items()))], form)
