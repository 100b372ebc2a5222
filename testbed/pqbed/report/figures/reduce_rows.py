"""Reduction of a large run to what its figures can show; the tables of the page keep all of it.

A panel has at most MOST_ROWS rows: more than that is neither read by people nor drawn quickly by browsers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from pqbed.report.report_data import COARSEST_CURVE, MOST_ROWS, ReportData
from pqbed.report.theme import MOST_SERIES
from pqbed.stats.distributions import PHASES

# Rows of a map, and of a panel over the links.
MOST_MAPPED = 60
# Bars or lines of one panel that can still be told apart.
MOST_PROFILES = 24
_COLUMNS = {"profiles": "profile", "sizes": "size", "percentiles": "percentile"}


def reduce_data(data: ReportData) -> tuple[ReportData, tuple[str, ...]]:
    """Return the part of `data` that is drawn, and a note on each axis of which only some values are.

    Kept are the first profiles and percentiles, and sizes from the smallest to the largest.
    """
    profiles = data.cells["profile"].unique(maintain_order=True).to_list()
    values = {"profiles": profiles, "sizes": data.sizes, "percentiles": data.names}
    kept = _counts_that_fit({name: len(all_values) for name, all_values in values.items()}, len(data.links))
    if all(kept[name] == len(all_values) for name, all_values in values.items()):
        return data, ()
    chosen = {
        "profiles": profiles[: kept["profiles"]],
        "sizes": _spread(data.sizes, kept["sizes"]),
        "percentiles": data.names[: kept["percentiles"]],
    }
    return _select(data, chosen), tuple(
        f"{len(chosen[name])} of {len(values[name])} {name} are drawn; the table of cells has all of them."
        for name in values
        if len(chosen[name]) < len(values[name])
    )


def rows_of_largest_panel(counts: Mapping[str, int], links: int) -> int:
    """Return the most rows that any panel has for so many profiles, sizes, percentiles and links."""
    profiles, sizes, percentiles = (counts[name] for name in _COLUMNS)
    mapped = min(links, MOST_MAPPED)
    return max(
        mapped * sizes * percentiles,
        mapped * profiles * percentiles,
        MOST_SERIES * sizes * percentiles,
        sizes * profiles * percentiles * len(PHASES),
        sizes * profiles * COARSEST_CURVE,
    )


def _counts_that_fit(counts: Mapping[str, int], links: int) -> dict[str, int]:
    kept = dict(counts) | {"profiles": min(counts["profiles"], MOST_PROFILES)}
    while rows_of_largest_panel(kept, links) > MOST_ROWS:
        most = max(kept, key=kept.__getitem__)
        kept[most] -= 1
    return kept


def _spread(values: Sequence[str], count: int) -> list[str]:
    """Return `count` of `values` in even steps, with the first and the last."""
    if count >= len(values):
        return list(values)
    step = (len(values) - 1) / max(1, count - 1)
    return [values[round(number * step)] for number in range(count)]


def _select(data: ReportData, chosen: Mapping[str, Sequence[str]]) -> ReportData:
    def some(table: pl.DataFrame) -> pl.DataFrame:
        conditions = [
            pl.col(column).is_in(chosen[name]) for name, column in _COLUMNS.items() if column in table.columns
        ]
        return table.filter(*conditions)

    return replace(
        data,
        cells=some(data.cells),
        percentiles=some(data.percentiles),
        phases=some(data.phases),
        ecdf=_thin(some(data.ecdf)),
    )


def _thin(curves: pl.DataFrame) -> pl.DataFrame:
    """Return the curves with as few points as their panel has room for, each with its first and its last point."""
    busiest = curves.group_by("link").len()["len"].max()
    assert busiest is None or isinstance(busiest, int)
    step = -(-(busiest or 0) // MOST_ROWS)
    if step <= 1:
        return curves
    place, last = pl.int_range(pl.len()).over("cell_id"), pl.len().over("cell_id") - 1
    return curves.filter((place % (step + 1) == 0) | (place == last))
