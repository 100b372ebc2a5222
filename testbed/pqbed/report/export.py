"""Export of a run as one table in a common format, batch by batch: a long run is never whole in memory."""

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, get_args

import polars as pl
from polars.io.plugins import register_io_source

from pqbed.atomic_files import store_error
from pqbed.errors import SpecError, StoreError
from pqbed.spec.name_suggestions import known_name
from pqbed.stats import MILESTONES, read_grid, summarise, tabulate_percentiles
from pqbed.stats.connection_phases import tabulate_sample_phases
from pqbed.stats.percentiles import DEFAULT_PERCENTILES
from pqbed.store.run_directory import Run
from pqbed.store.table_schemas import SAMPLES

Format = Literal["csv", "parquet", "json"]
Content = Literal["samples", "phases", "cells", "summary", "percentiles"]
CONTENTS: tuple[str, ...] = get_args(Content)
ROWS_TOGETHER = 20_000
# As text a sample with the columns of its cell takes up to 4 kB.
LINES_TOGETHER = 1_000

Batches = Iterator[pl.DataFrame]


def tabulate_run(
    run: Run, content: str, *, baseline: str | None = None, percentiles: tuple[float, ...] = DEFAULT_PERCENTILES
) -> Batches:
    """Yield one table of `run`, at least one batch of rows. All but `cells` include the columns of their cell.

    `phases` has one row per sample with the length of its phases. Raises SpecError if there is no such table.
    """
    known_name(content, CONTENTS, "table")
    cells = run.cells().collect()
    if content in {"samples", "phases"}:
        return _sample_batches(run, content, cells)
    if content == "cells":
        return iter([cells])
    if cells.is_empty():
        raise StoreError(f"{run.path} has no cells yet", "export it after its first sample")
    base = baseline or str(cells["profile"][0])
    if content == "summary":
        summary = summarise(run.samples(), cells, base)
    else:
        grid = read_grid(run.samples(), cells, list(MILESTONES))
        summary = tabulate_percentiles(grid, cells, base, percentiles)
    return iter([cells.join(summary.drop("profile"), on="cell_id", how="left", maintain_order="left")])


def _sample_batches(run: Run, content: str, cells: pl.DataFrame) -> Batches:
    batches = run.sample_batches(ROWS_TOGETHER)
    first = next(batches, SAMPLES.to_frame())
    for batch in itertools.chain([first], batches):
        if content == "phases":
            rows, suffix = tabulate_sample_phases(batch.lazy(), cells).collect(), "_right"
        else:
            rows, suffix = batch, "_asked"
        yield rows.join(cells, on="cell_id", how="left", suffix=suffix, maintain_order="left")


def write_table(batches: Batches, form: Format, path: Path) -> None:
    """Write the table to the file `path`: CSV with a header, Parquet, or a JSON array of objects.

    A regular file that could not be finished is removed. Raises SpecError, StoreError.
    """
    if path.parent != path and not path.parent.is_dir():
        raise SpecError(f"there is no folder {path.parent}", "create it first, or name another file")
    try:
        with path.open("wb") as file:
            try:
                stream_table(batches, form, file)
            except BaseException:
                if path.is_file() and not path.is_symlink():
                    path.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise store_error(path, error, "name another file with --to") from error


def stream_table(batches: Batches, form: Format, file: IO[bytes]) -> None:
    """Write the table to an open file or pipe as its batches come. Raises OSError."""
    match form:
        case "csv":
            for number, lines in enumerate(_slices(batches)):
                file.write(lines.write_csv(include_header=not number).encode())
        case "json":
            _stream_json(batches, file)
        case "parquet":
            _stream_parquet(batches, file)


def _stream_json(batches: Batches, file: IO[bytes]) -> None:
    """Write the lines of NDJSON as an array: a line break inside a text is escaped, so each one ends an object."""
    between = b"[\n"
    for batch in _slices(batches):
        if lines := batch.write_ndjson().encode().removesuffix(b"\n"):
            file.write(between + lines.replace(b"\n", b",\n"))
            between = b",\n"
    file.write(b"\n]\n" if between == b",\n" else b"[]\n")


def _slices(batches: Batches) -> Batches:
    for batch in batches:
        yield from batch.iter_slices(LINES_TOGETHER) if batch.height else [batch]


def _stream_parquet(batches: Batches, file: IO[bytes]) -> None:
    first = next(batches)
    source = register_io_source(lambda *_: itertools.chain([first], batches), schema=first.schema)
    try:
        source.sink_parquet(file, row_group_size=ROWS_TOGETHER)
    except pl.exceptions.PolarsError as error:
        # polars writes to the descriptor, and names the error of the system as text.
        if number := re.search(r"\(os error (\d+)\)", str(error)):
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
        raise
