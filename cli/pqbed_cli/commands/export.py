from pathlib import Path
from typing import Annotated

import typer

from pqbed_cli import options


def export(
    run: options.RunPath,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="As Parquet.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As a JSON array of objects.")] = False,
    table: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="samples, phases, cells, summary or percentiles; all with their cells' columns.",
        ),
    ] = "samples",
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to. [default: the standard output]")] = None,
    baseline: options.Baseline = None,
    percentile: options.AnyPercentile = "50,75,90",
    out: options.RunsFolder = "results",
) -> None:
    """Write one table of a run as CSV, Parquet or JSON."""
    from pqbed.report.export import tabulate_run, write_table
    from pqbed.stats.percentiles import parse_percentiles
    from pqbed.store.run import open_run
    from pqbed_cli.workflows.export import chosen_format, print_table
    from pqbed_cli.workflows.runs import find_run

    form = chosen_format(csv=csv, parquet=parquet, json=json)
    percentiles = parse_percentiles(percentile)
    with open_run(find_run(run, out)) as opened:
        found = tabulate_run(opened, table, baseline=baseline, percentiles=percentiles)
        if to is None:
            print_table(found, form)
        else:
            write_table(found, form, to)
