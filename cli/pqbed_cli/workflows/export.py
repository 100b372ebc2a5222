"""One table of a run in a common format."""

import sys
from typing import IO

from pqbed.errors import SpecError
from pqbed.report.export import CONTENTS, Format, stream_table, tabulate_run, write_table
from pqbed.spec.name_suggestions import known_name
from pqbed.spec.value_parsers import naming
from pqbed.store.run_directory import open_run
from pqbed_cli.options import ExportOptions
from pqbed_cli.workflows.find_run import find_run, read_baseline
from pqbed_cli.workflows.show import read_percentiles


def export(options: ExportOptions, output: IO[bytes]) -> None:
    """Write the table to its file; without one, to `output`."""
    form = _format(options)
    percentiles = read_percentiles(options.percentile)
    with naming("--table"):
        known_name(options.table, CONTENTS, "table")
    if options.to is None and form == "parquet" and sys.stdout.isatty():
        raise SpecError(
            "--parquet cannot be printed on a terminal", "name a file with --to FILE, or redirect the output"
        )
    with open_run(find_run(options.run, options.out)) as run:
        baseline = read_baseline(run, options.baseline)
        table = tabulate_run(run, options.table, baseline=baseline, percentiles=percentiles)
        if options.to is None:
            stream_table(table, form, output)
        else:
            write_table(table, form, options.to)


def _format(options: ExportOptions) -> Format:
    asked: dict[Format, bool] = {"csv": options.csv, "parquet": options.parquet, "json": options.json}
    chosen = [name for name, wanted in asked.items() if wanted]
    if len(chosen) != 1:
        raise SpecError("exactly one format is needed", "give one of --csv, --parquet and --json")
    return chosen[0]
