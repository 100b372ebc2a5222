"""The table of cells: every number of the figures, for reading, copying and screen readers."""

from dataclasses import dataclass
from typing import Any

from pqbed.report.frame import Measured

MOST_CELLS = 2_000
NONE = "-"
# The columns of a percentile after the times, and their units.
_COMPARED = (("Increase", " (%)"), ("Finding", ""), ("Noise", " (%)"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsTable:
    """Cells are text already; the first three columns are headers of their row. `left_out`: rows not shown."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


def tabulate_cells(measured: Measured) -> CellsTable:
    """Lay out one row a cell: what it is, how many fetches succeeded, TTLB and increase at every percentile."""
    by_cell: dict[str, dict[str, dict[str, Any]]] = {}
    for row in measured.percentiles.to_dicts():
        by_cell.setdefault(row["cell_id"], {})[row["percentile"]] = row
    columns = ["Link", "Size", "Profile", "Succeeded"]
    columns += [f"TTLB {name} (ms)" for name in measured.names]
    shown = _COMPARED if measured.copy_of else _COMPARED[:-1]
    columns += [f"{word} {name}{unit}" for name in measured.names for word, unit in shown]
    rows = [_row(at, measured) for at in list(by_cell.values())[:MOST_CELLS]]
    return CellsTable(columns=tuple(columns), rows=tuple(rows), left_out=max(0, len(by_cell) - MOST_CELLS))


def _row(at: dict[str, dict[str, Any]], measured: Measured) -> tuple[str, ...]:
    names = measured.names
    first = at[names[0]]
    return (
        first["where"],
        first["size"],
        first["profile"],
        f"{first['n_ok']} of {first['n']}",
        *(_time(at[name]) for name in names),
        *(text for name in names for text in _compared(at[name], with_noise=measured.copy_of is not None)),
    )


def _compared(row: dict[str, Any], *, with_noise: bool) -> list[str]:
    return [_increase(row), row["finding"] or NONE, *([_noise(row)] if with_noise else [])]


def _time(row: dict[str, Any]) -> str:
    if row["value_ms"] is None:
        return "failed" if row["censored"] else NONE
    return _with_interval(f"{row['value_ms']:,.1f}", row["low_ms"], row["high_ms"], ",.1f")


def _increase(row: dict[str, Any]) -> str:
    if row["increase"] is None:
        return NONE
    return _with_interval(f"{round(row['increase'], 1) + 0.0:+.1f}", row["increase_low"], row["increase_high"], ".1f")


def _noise(row: dict[str, Any]) -> str:
    return NONE if row["noise"] is None else f"±{row['noise']:.1f}"


def _with_interval(text: str, low: float | None, high: float | None, form: str) -> str:
    return text if low is None or high is None else f"{text} ({low:{form}} to {high:{form}})"
