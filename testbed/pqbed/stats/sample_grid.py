"""Samples as a grid of values by cell and block; failed fetches are censored (infinite), lost ones are no samples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pqbed.errors import SpecError, StoreError
from pqbed.spec.sample import NO_FAILURES
from pqbed.stats.quantiles import Floats
from pqbed.store.table_schemas import CONDITIONS, FAILURES

# The milestones of a connection in order, and their columns.
MILESTONES = {
    "connect": "tcp_connect_ns",
    "handshake": "tls_done_ns",
    "first_byte": "first_byte_ns",
    "ttlb": "last_byte_ns",
}
_FINE = [f"n_{outcome}" for outcome in NO_FAILURES]
# Quantities of a connection that are counts: retransmits of a sample, and handshake bytes, the same for all of a cell.
RETRANSMITS, BYTES = "retransmits", "bytes"
# A quantity of the cell is known exactly, as if by so many equal samples: enough for the interval of a median.
_EXACT = 8
_FLIGHTS = ("client_hello_bytes", "server_flight_bytes", "client_flight_bytes")
# A milestone that was reached counts even if the transfer after it failed. The last byte needs `ok`.
REACHED = ("ok", "timeout", "reset", "short_body")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Values in ns by milestone: cells x blocks, in the order of the cells table. NaN: no sample; infinite: censored.

    Counts and bytes too, if they were asked for.
    `counts` has one row per cell: n, n_ok, n_failed and n_<outcome>.
    """

    values: Mapping[str, Floats]
    counts: pl.DataFrame


def read_grid(samples: pl.LazyFrame, cells: pl.DataFrame, milestones: Sequence[str]) -> Grid:
    """Lay out these milestones of `samples`, RETRANSMITS or BYTES. Raises StoreError if they cannot be pooled."""
    sampled = [name for name in milestones if name != BYTES]
    table, counts = _read_samples(samples, cells, sampled)
    place, blocks = _places(table.drop_in_place("cell"), table.drop_in_place("block"), cells.height)
    values = {BYTES: _handshake_bytes(cells)} if BYTES in milestones else {}
    for name in sampled:
        grid = np.full(cells.height * blocks, math.nan)
        grid[place] = table.drop_in_place(name).to_numpy()  # so that no value is in memory twice for long
        values[name] = grid.reshape(cells.height, blocks)
    return Grid(values=values, counts=counts)


def find_baselines(cells: pl.DataFrame, baseline: str) -> list[int | None]:
    """Return for each cell the row of the baseline's cell under the same conditions; None for the baseline's own.

    Raises SpecError if no cell is of `baseline`, or it is the A/A arm.
    """
    profiles = cells["profile"].to_list()
    choices = cells.filter(pl.col("copy_of").is_null())["profile"]
    if baseline not in choices:
        known = ", ".join(choices.unique(maintain_order=True))
        raise SpecError(f"no cell has the profile {baseline!r}", f"choose the baseline among {known}")
    conditions = cells.select(list(CONDITIONS)).rows()
    rows = {where: row for row, where in enumerate(conditions) if profiles[row] == baseline}
    return [None if profiles[row] == baseline else rows.get(where) for row, where in enumerate(conditions)]


def find_copies(cells: pl.DataFrame) -> list[tuple[int, int] | None]:
    """Return for each cell the rows of the A/A arm and of its original under the same conditions."""
    conditions, profiles = cells.select(list(CONDITIONS)).rows(), cells["profile"].to_list()
    rows = {(where, profiles[row]): row for row, where in enumerate(conditions)}
    copies = {
        where: (row, rows[where, original])
        for row, (where, original) in enumerate(zip(conditions, cells["copy_of"], strict=True))
        if original is not None and (where, original) in rows
    }
    return [copies.get(where) for where in conditions]


def _read_samples(
    samples: pl.LazyFrame, cells: pl.DataFrame, milestones: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the number of the cell, the block and the values of each sample, in any order; and counts per cell.

    What is counted is not kept: a run of millions of samples has one text for each of them.
    """
    numbers = cells.lazy().select("cell_id").with_row_index("cell")
    known = samples.join(numbers, on="cell_id", how="left")
    values = [_value(name).alias(name) for name in milestones]
    table, counts, clocks = pl.collect_all(
        [
            known.select("cell", pl.col("block").cast(pl.UInt32), *values),
            _counts(known, cells.height),
            known.select(pl.col("clock").unique()),
        ],
        engine="streaming",
    )
    if table["cell"].null_count():
        raise StoreError("there are samples of cells that the cells table lacks", "read both from one run")
    if clocks.height > 1:
        raise StoreError(
            "samples of the real and of the virtual clock cannot be pooled", "summarise each run separately"
        )
    return table, counts


def _handshake_bytes(cells: pl.DataFrame) -> Floats:
    """Return the bytes of the handshake's flights, TLS records in both directions; NaN where they were not learned."""
    learned = cells.select(total=pl.sum_horizontal(_FLIGHTS, ignore_nulls=False).cast(pl.Float64))["total"]
    return np.repeat(learned.fill_null(math.nan).to_numpy()[:, np.newaxis], _EXACT, axis=1)


def _value(milestone: str) -> pl.Expr:
    if milestone == RETRANSMITS:
        return _count(RETRANSMITS)
    reached = pl.col("outcome") == "ok" if milestone == "ttlb" else pl.col("outcome").is_in(REACHED)
    value = pl.when(reached).then(MILESTONES[milestone]).cast(pl.Float64).fill_null(math.inf)
    return pl.when(pl.col("outcome") == "lost").then(math.nan).otherwise(value)


def _count(column: str) -> pl.Expr:
    """Return a count of each sample; one that failed and left none is above all, and of a stack without one nothing."""
    failed = ~pl.col("outcome").is_in(NO_FAILURES)
    unknown = pl.when(failed).then(math.inf).otherwise(math.nan)
    return (
        pl.when(pl.col("outcome") == "lost")
        .then(math.nan)
        .otherwise(pl.col(column).cast(pl.Float64).fill_null(unknown))
    )


def _places(cell: pl.Series, block: pl.Series, cell_count: int) -> tuple[npt.NDArray[np.intp], int]:
    """Return the position of each sample in the grid, and the number of blocks."""
    present = np.sort(block.unique().to_numpy())
    place = np.searchsorted(present, block.to_numpy())
    place += cell.to_numpy().astype(np.intp) * present.size
    taken = np.zeros(cell_count * present.size, dtype=np.bool_)
    taken[place] = True
    if np.count_nonzero(taken) < place.size:
        raise StoreError("a cell has two samples in one block", "summarise each run separately")
    return place, present.size


def _counts(known: pl.LazyFrame, cell_count: int) -> pl.LazyFrame:
    each = [(pl.col("outcome") == name).sum().alias(f"n_{name}") for name in ("ok", *FAILURES)]
    counts = known.group_by("cell").agg(pl.len().alias("n"), *each)
    every = pl.LazyFrame({"cell": range(cell_count)}, schema={"cell": pl.UInt32})
    joined = every.join(counts, on="cell", how="left", maintain_order="left").drop("cell").fill_null(0)
    return joined.cast(pl.Int64).with_columns(n_failed=pl.col("n") - pl.sum_horizontal(*_FINE))
