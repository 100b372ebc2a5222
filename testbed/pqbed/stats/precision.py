"""How precisely the comparisons of a run are known, and what that took.

A comparison is all arms under one set of conditions. Its half width is the widest of its arms: half the length of the
95 % interval of the increase at p50, in percentage points; the very interval that the tables show.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import polars as pl

from pqbed.stats.bootstrap import paired_increases
from pqbed.stats.grid import read_grid
from pqbed.store.precision import PRECISION
from pqbed.store.schema import CONDITIONS

SHARE = 0.5
POINTS_PER_PPM = 1e-4

# `reached`: as narrow as was asked. `maximum`: not, and nothing more is allowed. `open`: to be gone on with.
Standing = Literal["reached", "maximum", "open"]


def half_widths(samples: pl.LazyFrame, comparisons: Sequence[Sequence[str]]) -> list[float]:
    """Return the half width of each of `comparisons` (cell ids, the baseline's first); infinite where none is known."""
    members = [identity for comparison in comparisons for identity in comparison]
    rows = {identity: row for row, identity in enumerate(members)}
    table = pl.DataFrame({"cell_id": members}, schema={"cell_id": pl.String})
    values = read_grid(samples.filter(pl.col("cell_id").is_in(members)), table, ["ttlb"]).values["ttlb"]
    pairs = [(rows[arm], rows[base]) for base, *arms in comparisons for arm in arms]
    found = paired_increases(values, pairs, [SHARE])
    return [
        _widest((found[rows[arm], rows[base]][0].low, found[rows[arm], rows[base]][0].high) for arm in arms)
        for base, *arms in comparisons
    ]


def tabulate_precision(cells: Iterable[Mapping[str, Any]], precision_ppm: int, most: int) -> pl.DataFrame:
    """Return one row a comparison (PRECISION), in the order of `cells`: cells joined with their summary."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in cells:
        groups.setdefault(tuple(row[name] for name in CONDITIONS), []).append(row)
    rows = [_row(members, precision_ppm * POINTS_PER_PPM, most) for members in groups.values()]
    return pl.DataFrame(rows, schema=PRECISION, orient="row")


def _row(members: Sequence[Mapping[str, Any]], wanted: float, most: int) -> dict[str, Any]:
    base, *arms = members
    width = _widest((arm["increase_p50_low_pct"], arm["increase_p50_high_pct"]) for arm in arms)
    samples = min(row["n"] or 0 for row in members)
    standing: Standing = "reached" if width <= wanted else "maximum" if samples >= most else "open"
    return {
        "cell_id": base["cell_id"],
        **{name: base[name] for name in CONDITIONS},
        "samples": samples,
        "fetches": sum(row["n"] or 0 for row in members),
        "half_width_pct": width if math.isfinite(width) else None,
        "precision_pct": wanted,
        "standing": standing,
    }


def _widest(intervals: Iterable[tuple[float | None, float | None]]) -> float:
    widths = [math.inf if low is None or high is None else (high - low) / 2 for low, high in intervals]
    return max((math.inf if math.isnan(width) else width for width in widths), default=math.inf)
