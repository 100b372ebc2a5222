"""Table of cells: every number of the figures, for reading, copying and screen readers."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from pqbed.report.figures.figure_panels import value_title
from pqbed.report.report_data import NS_PER_MS, ReportData
from pqbed.spec.metric import TTLB
from pqbed.stats.tcp_info_summary import COUNTS, PERCENTILES

MOST_CELLS = 2_000
NONE = "-"
# What TTLB is compared with: columns of the cells table.
MODELS = ("expected", "floor")
# Columns of the cells table.
HELLO_TITLE = "ClientHello"
HELLO = {"bytes": "client_hello_bytes", "segments": "client_hello_segments"}
TCP_TITLE = "TCP of the client (p50 / p90)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsTable:
    """Rows of text; the first three columns are row headers. `left_out`: number of rows not shown.

    `groups`: title and columns of each group of columns, which follow the ungrouped `columns`.
    """

    columns: tuple[str, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int

    @property
    def places(self) -> list[tuple[str, int]]:
        """Return the grouped columns, each with its place in a row."""
        names = [name for _, members in self.groups for name in members]
        return [(name, len(self.columns) + place) for place, name in enumerate(names)]


def tabulate_cells(data: ReportData) -> CellsTable:
    """Lay out one row per cell: conditions, successes, TTLB and model, increase, finding, noise, phases, TCP_INFO."""
    by_cell: dict[str, dict[str, dict[str, Any]]] = {}
    for row in data.percentiles.to_dicts():
        by_cell.setdefault(row["cell_id"], {})[row["percentile"]] = row
    names = data.names
    counted = [name for name in COUNTS if data.tcp_info[f"{name}_p50"].is_not_null().any()]
    hello = HELLO if data.cells["client_hello_segments"].is_not_null().any() else {}
    shown = data.phases_shown
    groups = [
        (value_title(data.metric), (*names, *models_shown(data))),
        ("Increase (%)", tuple(names)),
        ("Finding", tuple(names)),
        *([("Noise (±%)", tuple(names))] if data.copy_of else []),
        (f"Phases at {names[0]} (ms)", tuple(shown)),
        *([(HELLO_TITLE, tuple(hello))] if hello else []),
        *([(TCP_TITLE, tuple(name.replace("_", " ") for name in counted))] if counted else []),
    ]
    models = {row["cell_id"]: row for row in data.cells.to_dicts()}
    phases = _phases(data)
    tcp_info = {row["cell_id"]: row for row in data.tcp_info.to_dicts()}
    rows = [
        (
            *_row(at, data, models[cell]),
            *(phases.get((cell, phase), NONE) for phase in shown),
            *(_whole(models[cell][column]) for column in hello.values()),
            *(_counts(tcp_info.get(cell, {}), name) for name in counted),
        )
        for cell, at in list(by_cell.items())[:MOST_CELLS]
    ]
    return CellsTable(
        columns=("Link", "Size", "Profile", "Succeeded"),
        groups=tuple(groups),
        rows=tuple(rows),
        left_out=max(0, len(by_cell) - MOST_CELLS),
    )


def models_shown(data: ReportData) -> tuple[str, ...]:
    return MODELS if data.metric is TTLB else ()


def _phases(data: ReportData) -> dict[tuple[str, str], str]:
    """Return the length of each phase of a cell at the first percentile."""
    first = data.phases.filter(pl.col("percentile") == data.names[0], pl.col("duration_ms").is_not_null())
    return {(row[0], row[1]): f"{row[2]:,.1f}" for row in first.select("cell_id", "phase", "duration_ms").rows()}


def _row(at: dict[str, dict[str, Any]], data: ReportData, models: dict[str, Any]) -> tuple[str, ...]:
    names = data.names
    first = at[names[0]]
    return (
        first["where"],
        first["size"],
        first["profile"],
        f"{first['n_ok']} of {first['n']}",
        *(_time(at[name]) for name in names),
        *(_model(models[f"{name}_ns"]) for name in models_shown(data)),
        *(_increase(at[name]) for name in names),
        *(at[name]["finding"] or NONE for name in names),
        *(_noise(at[name]) for name in names if data.copy_of),
    )


def _time(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return "failed" if row["censored"] else NONE
    return _with_interval(f"{row['value']:,.1f}", row["low"], row["high"], ",.1f")


def _model(value_ns: int | None) -> str:
    return NONE if value_ns is None else f"{value_ns / NS_PER_MS:,.1f}"


def _whole(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"


def _increase(row: dict[str, Any]) -> str:
    if row["increase"] is None:
        return NONE
    return _with_interval(f"{round(row['increase'], 1) + 0.0:+.1f}", row["increase_low"], row["increase_high"], ".1f")


def _noise(row: dict[str, Any]) -> str:
    return NONE if row["noise"] is None else f"{row['noise']:.1f}"


def _counts(tcp_info: dict[str, Any], name: str) -> str:
    """Return the p50 and p90 of a count of TCP_INFO: `0 / 2`."""
    p50, p90 = (tcp_info.get(f"{name}_{percentile}") for percentile in PERCENTILES)
    return NONE if p50 is None or p90 is None else f"{round(p50, 1):g} / {round(p90, 1):g}"


def _with_interval(text: str, low: float | None, high: float | None, form: str) -> str:
    return text if low is None or high is None else f"{text} ({low:{form}} to {high:{form}})"
