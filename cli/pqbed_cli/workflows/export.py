"""Which format was asked for, and a table on the standard output."""

import sys

import polars as pl

from pqbed.errors import SpecError
from pqbed.report.export import Format, table_bytes


def chosen_format(*, csv: bool, parquet: bool, json: bool) -> Format:
    """Return the one format that was asked for. Raises SpecError for none and for several."""
    asked: dict[Format, bool] = {"csv": csv, "parquet": parquet, "json": json}
    chosen = [name for name, wanted in asked.items() if wanted]
    if len(chosen) != 1:
        raise SpecError("one format is wanted", "give one of --csv, --parquet and --json")
    return chosen[0]


def print_table(table: pl.LazyFrame, form: Format) -> None:
    """Write `table` to the standard output. Raises SpecError where Parquet would go to a terminal."""
    if form == "parquet" and sys.stdout.isatty():
        raise SpecError(
            "Parquet is not for a terminal", "name a file with --to FILE, or send the output on with > or |"
        )
    sys.stdout.flush()
    sys.stdout.buffer.write(table_bytes(table, form))
    sys.stdout.buffer.flush()
