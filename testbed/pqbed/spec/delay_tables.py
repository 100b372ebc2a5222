"""Delay distribution tables of netem: inverse distribution functions as 4096 int16, scaled by 8192.

The definitions are those of iproute2's netem/normal.c, pareto.c and paretonormal.c; the numbers are
computed here and held against its installed *.dist files by a test. `uniform` has no table: it is what
the kernel does without a table. What the kernel adds to the delay is jitter * value / 8192, so a value of
8192 is one jitter; int16 cuts every table at 4 jitters. Only `normal` has mean 0 and standard deviation 1:
`pareto` has mean -0.03 and standard deviation 0.82, `paretonormal` -0.03 and 0.83.
"""

import math
import struct
from functools import cache
from statistics import NormalDist

from pqbed.spec.link import Distribution

SCALE = 8192
ENTRIES = 4096
# iproute2 computes the normal quantiles on a grid this fine and keeps every fourth.
FINE_ENTRIES = 4 * ENTRIES
PARETO_SHAPE = 3.0
PARETO_MEAN = 1.5
PARETO_FACTOR = 4 / 3
PARETO_SHARE = 3 / 4
INT16_MIN, INT16_MAX = -32768, 32767


@cache
def table(distribution: Distribution) -> tuple[int, ...]:
    """Return the table of a named distribution; for `uniform` an empty one."""
    match distribution:
        case "uniform":
            return ()
        case "normal":
            return tuple(_int16(_normal(entry)) for entry in range(ENTRIES))
        case "pareto":
            return tuple(_int16(_pareto(entry)) for entry in range(ENTRIES))
        case "paretonormal":
            return tuple(
                _int16((1 - PARETO_SHARE) * _normal(entry) + PARETO_SHARE * _pareto(entry)) for entry in range(ENTRIES)
            )


@cache
def table_bytes(distribution: Distribution) -> bytes:
    """Return the table as netem takes it: int16 in the host's order."""
    values = table(distribution)
    return struct.pack(f"={len(values)}h", *values)


def cut_share(delay_ns: int, jitter_ns: int, distribution: Distribution) -> float:
    """Return by how much the mean delay grows because no delay is below zero, in parts of `delay_ns`.

    netem sends at once what it draws a negative delay for. Without a delay the share of any such jitter is infinite.
    """
    if jitter_ns == 0:
        return 0.0
    return math.inf if delay_ns == 0 else _cut(jitter_ns / delay_ns, distribution)


def largest_jitter_ns(delay_ns: int, distribution: Distribution, share: float) -> int:
    """Return the largest jitter whose `cut_share` is at most `share`, in whole steps of 10 us."""
    low, high = 0.0, 100.0  # in parts of the delay; the share grows with the jitter
    while high - low > 1e-9:
        ratio = (low + high) / 2
        low, high = (ratio, high) if _cut(ratio, distribution) <= share else (low, ratio)
    return int(low * delay_ns) // 10_000 * 10_000


@cache
def _cut(ratio: float, distribution: Distribution) -> float:
    """Return the mean of what is cut off below zero where a delay of 1 has a jitter of `ratio`."""
    values = table(distribution)
    if not values:
        # Uniform from 1 - ratio to 1 + ratio: the integral of its negative part.
        return max(0.0, ratio - 1) ** 2 / (4 * ratio) if ratio else 0.0
    return sum(max(0.0, -(1 + ratio * value / SCALE)) for value in values) / len(values)


def _normal(entry: int) -> float:
    """Return the standard normal quantile at the upper edge of the grid cell."""
    return NormalDist().inv_cdf((4 * entry + 0.5) / FINE_ENTRIES)


def _pareto(entry: int) -> float:
    """Return the quantile of a Pareto of shape 3 about its mean, in iproute2's units; cut before it is mixed."""
    exceeded = (ENTRIES - entry) / ENTRIES
    return min((math.pow(exceeded, -1 / PARETO_SHAPE) - PARETO_MEAN) * PARETO_FACTOR, INT16_MAX / SCALE)


def _int16(value: float) -> int:
    return max(INT16_MIN, min(INT16_MAX, round(value * SCALE)))
