"""Samples as a grid of values by cell and block; failed fetches are censored (infinite), lost ones are no samples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from pqbed.errors import SpecError, StoreError
from pqbed.spec.run_options import Clock
from pqbed.spec.sample import NO_FAILURES
from pqbed.stats.quantiles import Floats
from pqbed.store.table_schemas import CONDITIONS, OUTCOMES

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
# When a HelloRetryRequest was there: a milestone of runs that have one. Where none came, its phase takes no time.
HELLO_RETRY = "hello_retry"
_RETRY_FLIGHTS = ("hello_retry_bytes", "second_hello_bytes")
_FLIGHTS = ("client_hello_bytes", "server_flight_bytes", "client_flight_bytes")
# A milestone that was reached counts even if the transfer after it failed. The last byte needs `ok`.
REACHED = ("ok", "timeout", "reset", "short_body")
_OK, _LOST = OUTCOMES.index("ok"), OUTCOMES.index("lost")
_REACHED = [OUTCOMES.index(outcome) for outcome in REACHED]
_NO_FAILURES = [OUTCOMES.index(outcome) for outcome in NO_FAILURES]
# Numbers of blocks are ranked by a table of all numbers up to the largest, unless nearly none of them occur.
_SPARSE = 16

Numbers: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]


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
    table = _read_samples(samples, cells, sampled)
    cell = table.drop_in_place("cell").to_numpy()
    counts = _counts(cell, table.drop_in_place("outcome").to_numpy(), cells.height)
    place, blocks = _places(cell, table.drop_in_place("block").to_numpy(), cells.height)
    values = {BYTES: _handshake_bytes(cells)} if BYTES in milestones else {}
    for name in sampled:
        grid = np.full(cells.height * blocks, math.nan)
        grid[place] = table.drop_in_place(name).to_numpy()  # so that no value is in memory twice for long
        values[name] = grid.reshape(cells.height, blocks)
    return Grid(values=values, counts=counts)


def milestones_of(cells: pl.DataFrame) -> list[str]:
    """Return the milestones of fetches in `cells`."""
    connect, *later = MILESTONES
    return [connect, *([HELLO_RETRY] if cells["hello_retry_expected"].any() else []), *later]


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


def _read_samples(samples: pl.LazyFrame, cells: pl.DataFrame, milestones: Sequence[str]) -> pl.DataFrame:
    """Return the row of the cell, the block, the number of the outcome and the values of each sample, in any order.

    In one pass, and texts become numbers at once: a run of millions of samples has three for each of them.
    """
    numbered = samples.with_columns(
        cell=_number_of("cell_id", cells["cell_id"]),
        outcome=_number_of("outcome", OUTCOMES).fill_null(len(OUTCOMES)).cast(pl.UInt8),
        clock=_number_of("clock", get_args(Clock)).cast(pl.UInt8),
    )
    table = numbered.select(
        "cell", pl.col("block").cast(pl.UInt32), "outcome", "clock", *(_value(name).alias(name) for name in milestones)
    ).collect(engine="streaming")
    if table["cell"].null_count():
        raise StoreError("there are samples of cells that the cells table lacks", "read both from one run")
    clock = table.drop_in_place("clock")
    if clock.min() != clock.max():
        raise StoreError(
            "samples of the real and of the virtual clock cannot be pooled", "summarise each run separately"
        )
    return table


def _number_of(column: str, texts: Sequence[str] | pl.Series) -> pl.Expr:
    """Return the place of a text among `texts`; null if it is none of them."""
    return pl.col(column).cast(pl.Enum(texts), strict=False).to_physical()


def _handshake_bytes(cells: pl.DataFrame) -> Floats:
    """Return the bytes of the handshake's flights, TLS records in both directions; NaN where they were not learned."""
    # Runs from before they were learned have no HelloRetryRequest.
    flights = (*map(pl.col, _FLIGHTS), *(pl.col(name).fill_null(0) for name in _RETRY_FLIGHTS))
    learned = cells.select(total=pl.sum_horizontal(flights, ignore_nulls=False).cast(pl.Float64))["total"]
    return np.repeat(learned.fill_null(math.nan).to_numpy()[:, np.newaxis], _EXACT, axis=1)


def _value(milestone: str) -> pl.Expr:
    if milestone == RETRANSMITS:
        return _count(RETRANSMITS)
    outcome = pl.col("outcome")
    reached = outcome == _OK if milestone == "ttlb" else outcome.is_in(_REACHED)
    columns = ("hello_retry_ns", "tcp_connect_ns") if milestone == HELLO_RETRY else (MILESTONES[milestone],)
    value = pl.when(reached).then(pl.coalesce(columns)).cast(pl.Float64).fill_null(math.inf)
    return pl.when(outcome == _LOST).then(math.nan).otherwise(value)


def _count(column: str) -> pl.Expr:
    """Return a count of each sample; one that failed and left none is above all, and of a stack without one nothing."""
    outcome = pl.col("outcome")
    unknown = pl.when(outcome.is_in(_NO_FAILURES)).then(math.nan).otherwise(math.inf)
    count = pl.col(column).cast(pl.Float64).fill_null(unknown)
    return pl.when(outcome == _LOST).then(math.nan).otherwise(count)


def _places(cell: Numbers, block: Numbers, cell_count: int) -> tuple[npt.NDArray[np.intp], int]:
    """Return the position of each sample in the grid, and the number of blocks."""
    place, blocks = _rank_blocks(block)
    place += cell.astype(np.intp) * blocks
    taken = np.zeros(cell_count * blocks, dtype=np.bool_)
    taken[place] = True
    if np.count_nonzero(taken) < place.size:
        raise StoreError("a cell has two samples in one block", "summarise each run separately")
    return place, blocks


def _rank_blocks(block: Numbers) -> tuple[npt.NDArray[np.intp], int]:
    """Return the rank of each number among those that occur, from 0, and how many occur."""
    if block.max(initial=0) > _SPARSE * (1 + block.size):
        present, rank = np.unique(block, return_inverse=True)
        return rank.astype(np.intp), present.size
    occurs = np.zeros(int(block.max(initial=0)) + 1, dtype=np.bool_)
    occurs[block] = True
    return (np.cumsum(occurs, dtype=np.intp) - 1)[block], int(np.count_nonzero(occurs))


def _counts(cell: Numbers, outcome: Numbers, cell_count: int) -> pl.DataFrame:
    kinds = len(OUTCOMES) + 1  # the last one is of a newer pqbed
    each = np.bincount(cell.astype(np.intp) * kinds + outcome, minlength=cell_count * kinds).reshape(cell_count, kinds)
    columns = {f"n_{name}": each[:, place] for place, name in enumerate(OUTCOMES)}
    counts = pl.DataFrame({"n": each.sum(axis=1), **columns}, schema_overrides={"n": pl.Int64})
    return counts.cast(pl.Int64).with_columns(n_failed=pl.col("n") - pl.sum_horizontal(*_FINE))
