"""Percentiles and mean of several cells mixed by shares, with intervals.

A percentile of a mixture is the smallest value that this share of it does not exceed. Nothing is interpolated: between
two kinds of connections lie times that none of them had.

Few samples in the tail of a part with a large share decide how far off a mixture may be, where a plain bootstrap is too
sure: its 95% interval of p90 held the truth in 87% of simulated runs of 80 blocks. The interval of a percentile is that
of a Bayesian bootstrap of blocks (Rubin 1981) with one more block that nobody saw: for the upper end it has the largest
value of each part, and one without bound in the part that has the largest of all; for the lower end the smallest. For a
single part that gives the exact interval of order statistics; of two parts, 92% to 97% of simulated intervals held the
truth (40 to 400 blocks, p50 and p90).
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pqbed.stats.block_bootstrap import MOST_UNITS, Places, draw_counts
from pqbed.stats.bootstrap_estimates import BootstrapEstimate
from pqbed.stats.quantiles import CONFIDENCE, Floats, interval_exists

_TOGETHER = 4_000_000
# Sums of shares are compared with a percentile: what rounding may have taken of them.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedEstimate(BootstrapEstimate):
    """An estimate with an interval of its own; `draws` serve comparisons. An end that is not finite is unbounded."""

    low: float = math.nan
    high: float = math.nan

    @property
    def interval(self) -> tuple[float, float] | None:
        return (self.low, self.high) if math.isfinite(self.low) and math.isfinite(self.high) else None


def mixed_quantiles(
    values: Floats, shares: Sequence[float], qs: Sequence[float], draws: int, seed: int
) -> list[MixedEstimate]:
    """Return quantiles of the rows of `values` (parts x blocks, none NaN; infinite: failed) mixed by `shares`.

    In a draw all parts have the same blocks. Without draws if there are too few blocks for an interval.
    """
    blocks = values.shape[1]
    if not blocks:
        return [MixedEstimate(point=math.nan)] * len(qs)
    seen = _Ordered.of(values, shares)
    points = seen.quantiles(np.ones((seen.units, 1)), qs)[:, 0]
    if not interval_exists(blocks, 0.5):
        return [MixedEstimate(point=float(point)) for point in points]
    drawn = seen.quantiles(draw_counts(blocks, draws, seed).astype(np.float64), qs)
    chances = _chances(seen.units + 1, draws, seed)
    lowest, highest = (
        _Ordered.of(values, shares, unseen=unseen).quantiles(chances, qs) for unseen in (values.min(1), values.max(1))
    )
    tail = (1 - CONFIDENCE) / 2 * (draws - 1)
    low, high = np.sort(lowest)[:, math.floor(tail)], np.sort(highest)[:, math.ceil(draws - 1 - tail)]
    return [
        MixedEstimate(point=float(point), draws=drawn[place], low=float(low[place]), high=float(high[place]))
        for place, point in enumerate(points)
    ]


def mixed_mean(values: Floats, shares: Sequence[float], draws: int, seed: int) -> BootstrapEstimate:
    """Return the mean of the rows of `values` (as for `mixed_quantiles`) mixed by `shares`; infinite with a failure."""
    blocks = values.shape[1]
    if not blocks:
        return BootstrapEstimate(point=math.nan)
    mixed = np.asarray(shares) @ values
    point = float(mixed.mean())
    if not interval_exists(blocks, 0.5) or not math.isfinite(point):
        return BootstrapEstimate(point=point)
    counts = draw_counts(blocks, draws, seed).astype(np.float64)
    units = counts.shape[0]
    unit = np.arange(blocks) * units // blocks
    sums = np.bincount(unit, weights=mixed, minlength=units)
    sizes = np.bincount(unit, minlength=units)
    return BootstrapEstimate(point=point, draws=(sums @ counts) / (sizes @ counts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ordered:
    """All values of a mixture in ascending order, each with its weight and the unit that is drawn; `units` in all."""

    values: Floats
    weights: Floats
    unit: Places
    units: int

    @classmethod
    def of(cls, values: Floats, shares: Sequence[float], unseen: Floats | None = None) -> "_Ordered":
        """Order the values of all parts (parts x blocks).

        `unseen`: a value of each part in one more unit; the largest and the smallest of them are without bound.
        """
        parts, blocks = values.shape
        units = min(blocks, MOST_UNITS)
        unit = np.tile(np.arange(blocks) * units // blocks, parts)
        weights = np.repeat(shares, blocks)
        everything = values.ravel()
        if unseen is not None:
            low, high = values.min(), values.max()
            ends = np.where(unseen == high, math.inf, np.where(unseen == low, -math.inf, unseen))
            everything = np.concatenate([everything, ends])
            # As much of it as there is of another unit.
            weights = np.concatenate([weights, np.asarray(shares) * blocks / units])
            unit = np.concatenate([unit, np.full(parts, units)])
            units += 1
        order = np.argsort(everything, kind="stable")
        return cls(values=everything[order], weights=weights[order], unit=unit[order], units=units)

    def quantiles(self, counts: Floats, qs: Sequence[float]) -> Floats:
        """Return the quantiles where each unit counts as in `counts` (units x draws): quantiles x draws."""
        draws = counts.shape[1]
        result = np.empty((len(qs), draws))
        together = max(1, _TOGETHER // self.values.size)
        for start in range(0, draws, together):
            some = slice(start, start + together)
            summed = np.cumsum(counts[:, some][self.unit] * self.weights[:, np.newaxis], axis=0)
            for place, q in enumerate(qs):
                result[place, some] = self.values[np.argmax(summed >= q * summed[-1] * (1 - _ROUNDING), axis=0)]
        return result


@functools.lru_cache(maxsize=4)
def _chances(units: int, draws: int, seed: int) -> Floats:
    """Return how much each unit counts in each draw: units x draws, each column a Dirichlet variate but for its sum."""
    return np.random.default_rng(seed).standard_exponential((units, draws))
