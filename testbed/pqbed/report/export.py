"""Export of a run as one table in a common format."""

import io
from pathlib import Path
from typing import Literal, get_args

import polars as pl

from pqbed.atomic_files import store_error
from pqbed.errors import SpecError, StoreError
from pqbed.spec.name_suggestions import known_name
from pqbed.stats import MILESTONES, read_grid, summarise, tabulate_percentiles
from pqbed.stats.connection_phases import tabulate_sample_phases
from pqbed.stats.percentiles import DEFAULT_PERCENTILES
from pqbed.store.run_directory import Run

Format = Literal["csv", "parquet", "json"]
Content = Literal["samples", "phases", "cells", "summary", "percentiles"]
CONTENTS: tuple[str, ...] = get_args(Content)


def tabulate_run(
    run: Run, content: str, *, baseline: str | None = None, percentiles: tuple[float, ...] = DEFAULT_PERCENTILES
) -> pl.LazyFrame:
    """Return one table of `run`. All but `cells` include the columns of their cell.

    `phases` has one row per sample with the length of its phases. It and `samples` are lazy. Raises SpecError if there
    is no such table.
    """
    known_name(content, CONTENTS, "table")
    cells = run.cells()
    if content == "cells":
        return cells
    if content == "samples":
        return run.samples().join(cells, on="cell_id", how="left", suffix="_asked", maintain_order="left")
    table = cells.collect()
    if content == "phases":
        return tabulate_sample_phases(run.samples(), table).join(cells, on="cell_id", how="left", maintain_order="left")
    if table.is_empty():
        raise StoreError(f"{run.path} has no cells yet", "export it after its first sample")
    base = baseline or str(table["profile"][0])
    if content == "summary":
        summary = summarise(run.samples(), table, base)
    else:
        grid = read_grid(run.samples(), table, list(MILESTONES))
        summary = tabulate_percentiles(grid, table, base, percentiles)
    return table.lazy().join(summary.lazy().drop("profile"), on="cell_id", how="left", maintain_order="left")


def write_table(table: pl.LazyFrame, form: Format, path: Path) -> None:
    """Write `table` to the file `path`: CSV with a header, Parquet, or a JSON array of objects."""
    if path.parent != path and not path.parent.is_dir():
        raise SpecError(f"there is no folder {path.parent}", "create it first, or name another file")
    try:
        match form:
            case "csv":
                table.sink_csv(path)
            case "parquet":
                table.sink_parquet(path)
            case "json":
                table.collect().write_json(path)
    except OSError as error:
        raise store_error(path, error) from error


def table_bytes(table: pl.LazyFrame, form: Format) -> bytes:
    """Return `table` in this format as bytes, for a pipe."""
    frame = table.collect()
    match form:
        case "csv":
            return frame.write_csv().encode()
        case "json":
            return frame.write_json().encode() + b"\n"
        case "parquet":
            return _parquet_bytes(frame)


def _parquet_bytes(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
