"""The table of cells: every number of the figures, for reading, copying and screen readers."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from pqbed.report.report_data import NS_PER_MS, Measured
from pqbed.stats.distributions import PHASES

MOST_CELLS = 2_000
NONE = "-"
# What a TTLB is held against: columns of the cells table.
MODELS = ("expected", "floor")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsTable:
    """Cells are text already; the first three columns are headers of their row. `left_out`: rows not shown.

    `groups`: the title and the columns of each group, without those that stand alone before them.
    """

    columns: tuple[str, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


def tabulate_cells(measured: Measured) -> CellsTable:
    """Lay out one row a cell: what it is, how many fetches succeeded, what they took beside the model, and where."""
    by_cell: dict[str, dict[str, dict[str, Any]]] = {}
    for row in measured.percentiles.to_dicts():
        by_cell.setdefault(row["cell_id"], {})[row["percentile"]] = row
    names = measured.names
    groups = [
        ("TTLB (ms)", (*names, *MODELS)),
        ("Increase (%)", tuple(names)),
        ("Finding", tuple(names)),
        *([("Noise (± %)", tuple(names))] if measured.copy_of else []),
        (f"Phases at {names[0]} (ms)", tuple(PHASES)),
    ]
    models = {row["cell_id"]: row for row in measured.cells.to_dicts()}
    phases = _phases(measured)
    rows = [
        (*_row(at, measured, models[cell]), *(phases.get((cell, phase), NONE) for phase in PHASES))
        for cell, at in list(by_cell.items())[:MOST_CELLS]
    ]
    return CellsTable(
        columns=("Link", "Size", "Profile", "Succeeded"),
        groups=tuple(groups),
        rows=tuple(rows),
        left_out=max(0, len(by_cell) - MOST_CELLS),
    )


def _phases(measured: Measured) -> dict[tuple[str, str], str]:
    """Return how long each phase of a cell takes, at the first percentile."""
    first = measured.phases.filter(pl.col("percentile") == measured.names[0], pl.col("duration_ms").is_not_null())
    return {(row[0], row[1]): f"{row[2]:,.1f}" for row in first.select("cell_id", "phase", "duration_ms").rows()}


def _row(at: dict[str, dict[str, Any]], measured: Measured, models: dict[str, Any]) -> tuple[str, ...]:
    names = measured.names
    first = at[names[0]]
    return (
        first["where"],
        first["size"],
        first["profile"],
        f"{first['n_ok']} of {first['n']}",
        *(_time(at[name]) for name in names),
        *(_model(models[f"{name}_ns"]) for name in MODELS),
        *(_increase(at[name]) for name in names),
        *(at[name]["finding"] or NONE for name in names),
        *(_noise(at[name]) for name in names if measured.copy_of),
    )


def _time(row: dict[str, Any]) -> str:
    if row["value_ms"] is None:
        return "failed" if row["censored"] else NONE
    return _with_interval(f"{row['value_ms']:,.1f}", row["low_ms"], row["high_ms"], ",.1f")


def _model(value_ns: int | None) -> str:
    return NONE if value_ns is None else f"{value_ns / NS_PER_MS:,.1f}"


def _increase(row: dict[str, Any]) -> str:
    if row["increase"] is None:
        return NONE
    return _with_interval(f"{round(row['increase'], 1) + 0.0:+.1f}", row["increase_low"], row["increase_high"], ".1f")


def _noise(row: dict[str, Any]) -> str:
    return NONE if row["noise"] is None else f"{row['noise']:.1f}"


def _with_interval(text: str, low: float | None, high: float | None, form: str) -> str:
    return text if low is None or high is None else f"{text} ({low:{form}} to {high:{form}})"
