"""Distribution of a cell's samples (ECDF), and the phases of its connections."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import polars as pl

from pqbed.stats.percentiles import DEFAULT_PERCENTILES, percentile_name
from pqbed.stats.quantiles import Floats, quantile
from pqbed.stats.sample_grid import HELLO_RETRY, Grid

# By the milestone that a phase ends at; it begins at the previous one.
PHASES = {
    "connect": "connect",
    HELLO_RETRY: "HelloRetryRequest",
    "handshake": "TLS",
    "first_byte": "first byte",
    "ttlb": "transfer",
}

ECDF = pl.Schema({"cell_id": pl.String, "value_ns": pl.Float64, "share": pl.Float64})
PHASE_TIMES = pl.Schema(
    {
        "cell_id": pl.String,
        "percentile": pl.String,
        "phase": pl.String,
        "start_ns": pl.Float64,
        "duration_ns": pl.Float64,
    }
)


def tabulate_ecdf(grid: Grid, cells: pl.DataFrame, points: int = 200, *, milestone: str = "ttlb") -> pl.DataFrame:
    """Return the share of all samples of a cell, failed ones too, that were done by `value_ns`.

    A curve begins at 0 and has at most `points` steps, evenly spaced in the share; with failures it ends below 1.
    """
    parts = [
        _ecdf(row, points).with_columns(cell_id=pl.lit(cell_id))
        for cell_id, row in zip(cells["cell_id"], grid.values[milestone], strict=True)
    ]
    return pl.concat([ECDF.to_frame(), *(part.select(list(ECDF)) for part in parts)])


def _ecdf(values: Floats, points: int) -> pl.DataFrame:
    ordered = np.sort(values[~np.isnan(values)])
    done = int(np.count_nonzero(np.isfinite(ordered)))
    ranks = np.unique(np.linspace(0, done - 1, min(points, done)).round().astype(int)) if done else np.array([], int)
    shown = ordered[ranks]
    # Of equal values the last rank counts: the curve jumps over all of them at once.
    shares = np.searchsorted(ordered, shown, side="right") / max(ordered.size, 1)
    steps = pl.DataFrame({"value_ns": [*shown[:1], *shown], "share": [*([0.0] * min(done, 1)), *shares]}, strict=False)
    return steps.cast(pl.Float64).unique(maintain_order=True)


def tabulate_phases(
    grid: Grid, cells: pl.DataFrame, percentiles: Sequence[float] = DEFAULT_PERCENTILES
) -> pl.DataFrame:
    """Return the length of each phase, such that the phases of a cell add up to the percentile of its TTLB.

    A phase is the difference between the percentiles of two milestones. Null from the first one that is censored.
    """
    rows = []
    phases = {milestone: phase for milestone, phase in PHASES.items() if milestone in grid.values}
    for number, cell_id in enumerate(cells["cell_id"]):
        ordered = [np.sort(row[~np.isnan(row)]) for row in (grid.values[name][number] for name in phases)]
        for percentile in percentiles:
            ends = [0.0, *(quantile(values, percentile / 100) for values in ordered)]
            for phase, (start, end) in zip(phases.values(), itertools.pairwise(ends), strict=True):
                known = math.isfinite(start) and math.isfinite(end)
                times = (start, end - start) if known else (None, None)
                rows.append((cell_id, percentile_name(percentile), phase, *times))
    return pl.DataFrame(rows, schema=PHASE_TIMES, orient="row")
