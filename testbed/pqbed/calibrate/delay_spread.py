"""Measured delays compared with the requested delay distribution: spread and shape, independent of location. Pure."""

import bisect
import math
from collections.abc import Sequence
from functools import cache
from typing import get_args

from pqbed.spec.delay_tables import ENTRIES, SCALE, table
from pqbed.spec.link import Distribution

# The two distribution functions are aligned at each of these quantiles in turn.
ALIGNMENT_QUANTILES = (0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9)


@cache
def asked_delays(delay_ns: int, jitter_ns: int, distribution: Distribution) -> tuple[float, ...]:
    """Return 4096 equally likely delays in ns, sorted, as netem draws them: never negative."""
    values: Sequence[float] = sorted(table(distribution)) or [
        (2 * entry + 1 - ENTRIES) * SCALE / ENTRIES for entry in range(ENTRIES)
    ]
    return tuple(max(0.0, delay_ns + jitter_ns * value / SCALE) for value in values)


def cut_count(delay_ns: int, jitter_ns: int, distribution: Distribution) -> int:
    """Return how many of `asked_delays` would be negative, and are zero instead."""
    return bisect.bisect_right(asked_delays(delay_ns, jitter_ns, distribution), 0.0)


def quantile(values: Sequence[float], q: float) -> float:
    """Return the `q` quantile of sorted `values`."""
    return values[min(len(values) - 1, max(0, round(q * (len(values) - 1))))]


def interquartile_range(values: Sequence[float]) -> float:
    """Return the distance between the quartiles of sorted `values`."""
    return quantile(values, 0.75) - quantile(values, 0.25)


def distance(measured: Sequence[float], asked: Sequence[float]) -> float:
    """Return the Kolmogorov-Smirnov statistic of two sorted samples, minimised over their alignment.

    They are aligned at several quantiles: the median of few draws is off by chance, which a steep edge (that of
    `pareto`) multiplies.
    """
    shifts = [quantile(asked, q) - quantile(measured, q) for q in ALIGNMENT_QUANTILES]
    return min(_ks_statistic(measured, asked, shift) for shift in shifts)


def _ks_statistic(measured: Sequence[float], asked: Sequence[float], shift: float) -> float:
    last = len(measured) - 1
    return max(
        abs(bisect.bisect_right(asked, value + shift) / len(asked) - number / last)
        for number, value in enumerate(measured)
    )


def critical_distance(count: int, alpha: float) -> float:
    """Return the Kolmogorov-Smirnov distance that `count` draws exceed by chance with probability `alpha` at most.

    The Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant (Ann. Probab. 18, 1990).
    """
    return math.sqrt(math.log(2 / alpha) / (2 * count))


def nearest_distribution(measured: Sequence[float], delay_ns: int, jitter_ns: int) -> tuple[Distribution, float]:
    """Return the distribution with that jitter that is nearest to the measured delays, and its distance."""
    distances = {name: distance(measured, asked_delays(delay_ns, jitter_ns, name)) for name in get_args(Distribution)}
    nearest = min(distances, key=lambda name: distances[name])
    return nearest, distances[nearest]


def stretched(values: Sequence[float], factor: float) -> list[float]:
    return [factor * value for value in values]
