"""Quantiles of right-censored values. A failed fetch is infinite: longer than any observed value.

A quantile that reaches into the censored part is infinite; without values it is NaN.
"""

import functools
import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

CONFIDENCE = 0.95
MOST_SAMPLES_ASKED = 100_000


def quantile(ordered: Floats, q: float) -> float:
    """Return the quantile of ascending values, linear between its neighbours (numpy's `linear`)."""
    if not ordered.size:
        return math.nan
    rank = (ordered.size - 1) * q
    below = int(rank)
    low, high = float(ordered[below]), float(ordered[math.ceil(rank)])
    return math.inf if math.isinf(high) else low + (rank - below) * (high - low)


def quantiles(ordered: Floats, q: float) -> Floats:
    """Return the `quantile` of each row of ascending values; no row may be empty."""
    rank = (ordered.shape[1] - 1) * q
    below = int(rank)
    low, high = ordered[:, below], ordered[:, math.ceil(rank)]
    with np.errstate(invalid="ignore"):
        by_row: Floats = np.where(np.isinf(high), math.inf, low + (rank - below) * (high - low))
    return by_row


def quantile_interval(ordered: Floats, q: float) -> tuple[float, float]:
    """Return the exact interval of order statistics; NaN if there are too few values for that end."""
    low, high = interval_ranks(ordered.size, q)
    return _at(ordered, low), _at(ordered, high)


def interval_exists(count: int, q: float) -> bool:
    """Return whether `count` values bound the quantile on both sides (from 6 for the median, from 36 for p90)."""
    return None not in interval_ranks(count, q)


def samples_needed(q: float) -> int:
    """Return the fewest samples that bound a quantile on both sides (369 for p99)."""
    low, high = 1, MOST_SAMPLES_ASKED
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if interval_exists(middle, q) else (middle + 1, high)
    return low


@functools.lru_cache(maxsize=4096)
def interval_ranks(count: int, q: float, confidence: float = CONFIDENCE) -> tuple[int | None, int | None]:
    """Return the ranks, from 0, of the values that bound the quantile.

    How many of `count` values lie below it is binomial, whatever their distribution (Conover 1999, 3.2).
    """
    tail = (1 - confidence) / 2
    chance = _binomial(count, q)
    low = int(np.searchsorted(np.cumsum(chance), tail)) - 1
    at_least = np.cumsum(chance[::-1])[::-1]
    high = int(np.count_nonzero(at_least > tail)) - 1
    return (low if low >= 0 else None), (high if high < count else None)


def _binomial(count: int, q: float) -> Floats:
    """Return the chance of 0 to `count` successes, by logarithms: the factorials would overflow."""
    successes = np.arange(1, count + 1)
    steps = np.log(count + 1 - successes) - np.log(successes) + math.log(q) - math.log1p(-q)
    logs = count * math.log1p(-q) + np.concatenate(([0.0], np.cumsum(steps)))
    chance: Floats = np.exp(logs)
    return chance


def _at(ordered: Floats, rank: int | None) -> float:
    return math.nan if rank is None else float(ordered[rank])
