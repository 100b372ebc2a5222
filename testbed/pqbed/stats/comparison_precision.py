"""Precision of the comparisons of a run, and the samples that it took.

A comparison is all arms under one set of conditions. Its half width is the largest of its arms: half the length of the
95% interval of the increase at p50, in percentage points; the same interval that the tables show.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import polars as pl

from pqbed.spec.metric import TTLB, Metric
from pqbed.stats.increases import paired_increases
from pqbed.stats.sample_grid import read_grid
from pqbed.store.precision_table import PRECISION
from pqbed.store.table_schemas import CONDITIONS

SHARE = 0.5
POINTS_PER_PPM = 1e-4

# `reached`: as narrow as requested. `maximum`: not, and no more samples are allowed. `open`: to be continued.
# `unsupported`: the stacks do not support the baseline, or none of the arms, so there is nothing to compare.
PrecisionStatus = Literal["reached", "maximum", "open", "unsupported"]


def half_widths(
    samples: pl.LazyFrame, comparisons: Sequence[Sequence[str]], quantity: str = TTLB.quantity
) -> list[float]:
    """Return the half width of each of `comparisons` (cell ids, the baseline's first); infinite if unknown.

    Unsupported arms are left out; if that leaves nothing to compare, the width is 0.
    """
    members = list(dict.fromkeys(cell_id for comparison in comparisons for cell_id in comparison))
    rows = {cell_id: row for row, cell_id in enumerate(members)}
    table = pl.DataFrame({"cell_id": members}, schema={"cell_id": pl.String})
    values = read_grid(samples.filter(pl.col("cell_id").is_in(members)), table, [quantity]).values[quantity]
    supported = _supported(samples)
    pairs = [[(rows[arm], rows[base]) for arm in arms if {arm, base} <= supported] for base, *arms in comparisons]
    increases = paired_increases(values, [pair for some in pairs for pair in some], [SHARE])
    return [
        _widest((increases[pair][0].low, increases[pair][0].high) for pair in some) if some else 0.0 for some in pairs
    ]


def tabulate_precision(
    cells: Iterable[Mapping[str, Any]], precision_ppm: int, most: int, metric: Metric = TTLB
) -> pl.DataFrame:
    """Return one row per comparison (PRECISION), in the order of `cells`: cells joined with their summary."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in cells:
        groups.setdefault(tuple(row[name] for name in CONDITIONS), []).append(row)
    rows = [_row(members, precision_ppm * POINTS_PER_PPM, most, metric) for members in groups.values()]
    return pl.DataFrame(rows, schema=PRECISION, orient="row")


def _supported(samples: pl.LazyFrame) -> set[str]:
    """Return the cells with a sample that is not `unsupported`."""
    return set(samples.filter(pl.col("outcome") != "unsupported").select("cell_id").unique().collect()["cell_id"])


def _row(members: Sequence[Mapping[str, Any]], wanted: float, most: int, metric: Metric) -> dict[str, Any]:
    base, *arms = members
    samples = min(row["n"] or 0 for row in members)
    compared = [arm for arm in arms if not _unsupported(arm) and not _unsupported(base)]
    width = _widest((arm[metric.increase("p50", "_low")], arm[metric.increase("p50", "_high")]) for arm in compared)
    standing: PrecisionStatus = "reached" if width <= wanted else "maximum" if samples >= most else "open"
    standing = standing if compared else "unsupported"
    return {
        "cell_id": base["cell_id"],
        **{name: base[name] for name in CONDITIONS},
        "samples": samples,
        "fetches": sum(row["n"] or 0 for row in members),
        "half_width_pct": width if math.isfinite(width) else None,
        "precision_pct": wanted,
        "standing": standing,
    }


def _unsupported(row: Mapping[str, Any]) -> bool:
    return bool(row["n"]) and row["n_unsupported"] == row["n"]


def _widest(intervals: Iterable[tuple[float | None, float | None]]) -> float:
    widths = [math.inf if low is None or high is None else (high - low) / 2 for low, high in intervals]
    return max((math.inf if math.isnan(width) else width for width in widths), default=math.inf)
