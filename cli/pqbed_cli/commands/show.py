from typing import Annotated

import typer

from pqbed_cli.options import Json, RunPath, RunsFolder

Percentile = Annotated[str, typer.Option(metavar="P,...", help="Percentiles to show: 50, 75, 90.")]


def show(
    run: RunPath, percentile: Percentile = "50,90", out: RunsFolder = "results", json_output: Json = False
) -> None:
    """Show the table of a run, also of one that is still measured or was interrupted."""
    from pqbed.store.run import open_run
    from pqbed_cli.reporting import read_percentiles, report_run
    from pqbed_cli.runs import find_run

    percentiles = read_percentiles(percentile)
    with open_run(find_run(run, out)) as opened:
        report_run(opened, percentiles, json_output=json_output)
