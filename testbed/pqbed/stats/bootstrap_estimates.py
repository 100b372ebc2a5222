"""Bootstrap estimates of numbers that combine several cells: quantiles, and functions of quantiles.

All cells of a run share their blocks, so a draw takes the same blocks of each; functions of quantiles are computed
within each draw.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pqbed.stats.block_bootstrap import DRAWS, SEED, draw_counts, drawn_quantiles
from pqbed.stats.quantiles import CONFIDENCE, Floats, interval_exists, quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapEstimate:
    """A number as measured, and in each draw; no draws if there are too few blocks for an interval."""

    point: float
    draws: Floats | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the ends of the 95% interval, None if they are unbounded."""
        if self.draws is None or np.isnan(self.draws).any():
            return None
        ordered = np.sort(self.draws)
        tail = (1 - CONFIDENCE) / 2 * (ordered.size - 1)
        low, high = float(ordered[math.floor(tail)]), float(ordered[math.ceil(ordered.size - 1 - tail)])
        return (low, high) if math.isfinite(low) and math.isfinite(high) else None


class QuantileEstimator:
    """Estimates quantiles of the rows of `values` (cells x blocks; NaN: no sample, infinite: failed)."""

    def __init__(self, values: Floats, draws: int = DRAWS, seed: int = SEED) -> None:
        """Use only the blocks that all rows have."""
        self._values = values[:, ~np.isnan(values).any(axis=0)]
        self._draws = draws
        self._seed = seed

    def quantile(self, row: int, q: float) -> BootstrapEstimate:
        """Return a quantile of one row; infinite if it is censored, NaN without values."""
        values = self._values[row]
        order = np.argsort(values)
        ordered = values[order]
        point = quantile(ordered, q)
        if not interval_exists(values.size, q):
            return BootstrapEstimate(point=point)
        counts = draw_counts(values.size, self._draws, self._seed)
        (drawn,) = drawn_quantiles(ordered[np.newaxis], order[np.newaxis], counts, [q])
        return BootstrapEstimate(point=point, draws=drawn[0])


def combine(compute: Callable[..., Floats], *parts: BootstrapEstimate) -> BootstrapEstimate:
    """Return `compute` of the parts, as measured and within each draw. It takes one array per part."""
    with np.errstate(invalid="ignore", divide="ignore"):
        point = float(compute(*(np.array([part.point]) for part in parts))[0])
        drawn = [part.draws for part in parts if part.draws is not None]
        draws = compute(*drawn) if len(drawn) == len(parts) else None
    return BootstrapEstimate(point=point, draws=draws)


def increase(arm: BootstrapEstimate, base: BootstrapEstimate) -> BootstrapEstimate:
    """Return the increase of `arm` over `base` in per cent."""
    return combine(lambda slow, fast: 100 * (slow / fast - 1), arm, base)


def mean(parts: list[BootstrapEstimate]) -> BootstrapEstimate:
    return combine(lambda *values: np.mean(values, axis=0), *parts)


def largest(parts: list[BootstrapEstimate]) -> BootstrapEstimate:
    return combine(lambda *values: np.max(values, axis=0), *parts)


def ratio(part: BootstrapEstimate, whole: BootstrapEstimate) -> BootstrapEstimate:
    return combine(lambda above, below: above / below, part, whole)
