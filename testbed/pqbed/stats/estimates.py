"""Numbers made of several cells, with intervals: quantiles drawn again together, and what is computed from them.

All cells of a run share their blocks, so a draw takes the same blocks of each; whatever is computed of quantiles is
computed within each draw.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pqbed.stats.block_bootstrap import draw_counts, drawn_quantiles
from pqbed.stats.increases import DRAWS, SEED
from pqbed.stats.quantiles import CONFIDENCE, Floats, interval_exists, quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number as measured, and in each draw; without draws there are too few blocks for an interval."""

    point: float
    draws: Floats | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the ends at 95 %, None where they are not bounded by what was seen."""
        if self.draws is None or np.isnan(self.draws).any():
            return None
        ordered = np.sort(self.draws)
        tail = (1 - CONFIDENCE) / 2 * (ordered.size - 1)
        low, high = float(ordered[math.floor(tail)]), float(ordered[math.ceil(ordered.size - 1 - tail)])
        return (low, high) if math.isfinite(low) and math.isfinite(high) else None


class Estimator:
    """Gives quantiles of the rows of `values` (cells x blocks; NaN: no sample, infinite: failed)."""

    def __init__(self, values: Floats, draws: int = DRAWS, seed: int = SEED) -> None:
        """Use only the blocks that all rows have."""
        self._values = values[:, ~np.isnan(values).any(axis=0)]
        self._draws = draws
        self._seed = seed

    def quantile(self, row: int, share: float) -> Estimate:
        """Return a quantile of one row; infinite where it is censored, NaN of nothing."""
        values = self._values[row]
        order = np.argsort(values)
        ordered = values[order]
        point = quantile(ordered, share)
        if not interval_exists(values.size, share):
            return Estimate(point=point)
        counts = draw_counts(values.size, self._draws, self._seed)
        (drawn,) = drawn_quantiles(ordered[np.newaxis], order[np.newaxis], counts, [share])
        return Estimate(point=point, draws=drawn[0])


def combine(compute: Callable[..., Floats], *parts: Estimate) -> Estimate:
    """Return `compute` of numbers, within each draw. It takes arrays, one a part."""
    with np.errstate(invalid="ignore", divide="ignore"):
        point = float(compute(*(np.array([part.point]) for part in parts))[0])
        drawn = [part.draws for part in parts if part.draws is not None]
        draws = compute(*drawn) if len(drawn) == len(parts) else None
    return Estimate(point=point, draws=draws)


def increase(arm: Estimate, base: Estimate) -> Estimate:
    """Return by how many per cent `arm` exceeds `base`."""
    return combine(lambda slow, fast: 100 * (slow / fast - 1), arm, base)


def mean(parts: list[Estimate]) -> Estimate:
    return combine(lambda *values: np.mean(values, axis=0), *parts)


def largest(parts: list[Estimate]) -> Estimate:
    return combine(lambda *values: np.max(values, axis=0), *parts)


def ratio(part: Estimate, whole: Estimate) -> Estimate:
    return combine(lambda above, below: above / below, part, whole)
