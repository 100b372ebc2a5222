"""Delays against the distribution that was asked for: their spread and their shape, wherever they lie. Pure."""

import bisect
import math
from collections.abc import Sequence
from functools import cache
from typing import get_args

from pqbed.net.delay_distributions import ENTRIES, SCALE, table
from pqbed.spec.link import Distribution

LAID_UPON = (0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9)


@cache
def asked_delays(delay_ns: int, jitter_ns: int, distribution: Distribution) -> tuple[float, ...]:
    """Return 4096 equally likely delays in order, as netem draws them: never below zero."""
    values: Sequence[float] = sorted(table(distribution)) or [
        (2 * entry + 1 - ENTRIES) * SCALE / ENTRIES for entry in range(ENTRIES)
    ]
    return tuple(max(0.0, delay_ns + jitter_ns * value / SCALE) for value in values)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of ordered `values` lies."""
    return values[min(len(values) - 1, max(0, round(share * (len(values) - 1))))]


def middle_half(values: Sequence[float]) -> float:
    """Return how far apart the quartiles of ordered `values` are."""
    return quantile(values, 0.75) - quantile(values, 0.25)


def distance(measured: Sequence[float], asked: Sequence[float]) -> float:
    """Return the largest distance of the two distribution functions where they are laid upon one another best.

    Both are ordered; Kolmogorov-Smirnov's statistic, wherever the two lie. They are laid quantile upon quantile: the
    median alone would be off by chance, which a steep edge (that of `pareto`) multiplies.
    """
    shifts = [quantile(asked, share) - quantile(measured, share) for share in LAID_UPON]
    return min(_distance(measured, asked, shift) for shift in shifts)


def _distance(measured: Sequence[float], asked: Sequence[float], shift: float) -> float:
    last = len(measured) - 1
    return max(
        abs(bisect.bisect_right(asked, value + shift) / len(asked) - number / last)
        for number, value in enumerate(measured)
    )


def chance_distance(count: int, certainty: float) -> float:
    """Return the distance that `count` draws exceed by chance with that certainty at most (Dvoretzky-Massart)."""
    return math.sqrt(math.log(2 / certainty) / (2 * count))


def nearest_distribution(measured: Sequence[float], delay_ns: int, jitter_ns: int) -> tuple[Distribution, float]:
    """Return the distribution that comes nearest with that jitter, and its distance."""
    distances = {name: distance(measured, asked_delays(delay_ns, jitter_ns, name)) for name in get_args(Distribution)}
    nearest = min(distances, key=lambda name: distances[name])
    return nearest, distances[nearest]


def stretched(values: Sequence[float], factor: float) -> list[float]:
    return [factor * value for value in values]
