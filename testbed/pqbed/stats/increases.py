"""Increase of one arm over another, with a block bootstrap interval.

Within a run both arms get the same blocks in a draw: they met the same losses in a block, so common noise cancels.
Runs share no blocks, and each is resampled independently. The percentile interval covered the true value in 93% to 97%
of simulated runs, and more often (it is too wide) if the arms share nearly all of their noise.
"""

import functools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from pqbed.stats.block_bootstrap import (
    DRAWS,
    SEED,
    Counts,
    draw_counts,
    drawn_quantiles,
    independent_quantiles,
    percentile_intervals,
)
from pqbed.stats.bootstrap_estimates import BootstrapEstimate
from pqbed.stats.quantiles import CONFIDENCE, Floats, interval_exists, quantiles

# Pairs computed together: few, so that their data stays in the CPU's cache, but enough to be worth a call of numpy.
_VALUES_TOGETHER = 200_000
_PAIRS_TOGETHER = range(8, 97)

# A 90% interval inside the margin is equivalent to two one-sided tests at 5% (Schuirmann 1987).
INNER_CONFIDENCE = 0.90

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Increase:
    """Increase of a quantile of the arm over the baseline's in per cent, with its 95% interval.

    `inner_pct` and `inner_ns` are the 90% intervals of the increase and of the difference, for tests of equivalence.
    NaN: undefined or unbounded.
    """

    point: float
    low: float
    high: float
    inner_pct: tuple[float, float] = (math.nan, math.nan)
    inner_ns: tuple[float, float] = (math.nan, math.nan)


UNKNOWN = Increase(point=math.nan, low=math.nan, high=math.nan)


def paired_increases(
    values: Floats, pairs: Sequence[Pair], qs: Sequence[float], draws: int = DRAWS, seed: int = SEED
) -> dict[Pair, list[Increase]]:
    """Compare rows of `values` (cells x blocks; NaN: no sample, infinite: failed): (arm, baseline) each.

    Only blocks that both have count. One increase per quantile of `qs`, in order; without an interval if there are too
    few blocks for one of order statistics.
    """
    increases: dict[Pair, list[Increase]] = {}
    for common, members in _by_common_blocks(values, pairs):
        blocks = int(np.count_nonzero(common))
        if not blocks:
            increases.update(dict.fromkeys(members, [UNKNOWN] * len(qs)))
            continue
        counts = draw_counts(blocks, draws, seed)
        together = min(max(_VALUES_TOGETHER // blocks, _PAIRS_TOGETHER[0]), _PAIRS_TOGETHER[-1])
        parts = [members[start : start + together] for start in range(0, len(members), together)]
        for part in _in_threads(functools.partial(_compare, values, common, counts, qs), parts):
            increases.update(part)
    return increases


def independent_increase(
    arm: Floats, base: Floats, qs: Sequence[float], draws: int = DRAWS, seed: int = SEED
) -> list[Increase]:
    """Compare two samples that share no blocks (none NaN; infinite: failed): one increase per quantile of `qs`."""
    if not arm.size or not base.size:
        return [UNKNOWN] * len(qs)
    sides = [_Drawn.alone(values, draws, seed + number, qs) for number, values in enumerate((arm, base))]
    return [_increases(sides[0], sides[1], [0], [0], q)[0] for q in range(len(qs))]


def estimated_increase(arm: BootstrapEstimate, base: BootstrapEstimate) -> Increase:
    """Compare two estimates whose draws belong together, or have nothing in common."""
    sides = [
        _Drawn(
            points=np.array([[one.point]]),
            draws={} if one.draws is None else {0: one.draws[np.newaxis]},
        )
        for one in (arm, base)
    ]
    return _increases(sides[0], sides[1], [0], [0], 0)[0]


def _in_threads(
    work: Callable[[list[Pair]], dict[Pair, list[Increase]]], parts: Sequence[list[Pair]]
) -> Iterator[dict[Pair, list[Increase]]]:
    """Do `work` on all cores (numpy releases the GIL); the matrix products inside are too small for BLAS threads."""
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(work, parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """Quantiles of some arms: as measured (quantiles x arms), and in each draw if an interval exists."""

    points: Floats
    draws: dict[int, Floats]

    @classmethod
    def of(cls, values: Floats, counts: Counts, qs: Sequence[float]) -> "_Drawn":
        order = np.argsort(values, axis=1)
        ordered = np.take_along_axis(values, order, axis=1)
        bounded = [place for place, q in enumerate(qs) if interval_exists(values.shape[1], q)]
        drawn = drawn_quantiles(ordered, order, counts, [qs[place] for place in bounded])
        points = np.array([quantiles(ordered, q) for q in qs])
        return cls(points=points, draws=dict(zip(bounded, drawn, strict=True)))

    @classmethod
    def alone(cls, values: Floats, draws: int, seed: int, qs: Sequence[float]) -> "_Drawn":
        """Return the quantiles of one arm that is resampled by itself."""
        ordered = np.sort(values)
        return cls(
            points=np.array([quantiles(ordered[np.newaxis], q) for q in qs]),
            draws={
                place: independent_quantiles(ordered, q, draws, seed)[np.newaxis]
                for place, q in enumerate(qs)
                if interval_exists(values.size, q)
            },
        )


def _compare(
    values: Floats, common: npt.NDArray[np.bool_], counts: Counts, qs: Sequence[float], pairs: Sequence[Pair]
) -> dict[Pair, list[Increase]]:
    rows = sorted({row for pair in pairs for row in pair})
    drawn = _Drawn.of(values[rows][:, common], counts, qs)
    place = {row: number for number, row in enumerate(rows)}
    arms, bases = ([place[pair[side]] for pair in pairs] for side in (0, 1))
    by_quantile = [_increases(drawn, drawn, arms, bases, q) for q in range(len(qs))]
    return {pair: [increases[number] for increases in by_quantile] for number, pair in enumerate(pairs)}


def _increases(arm: _Drawn, base: _Drawn, arms: list[int], bases: list[int], q: int) -> list[Increase]:
    slow, fast = arm.points[q][arms], base.points[q][bases]
    with np.errstate(invalid="ignore", divide="ignore"):
        points = np.where(np.isfinite(slow) & np.isfinite(fast) & (fast > 0), 100 * (slow / fast - 1), math.nan)
        points = np.where((slow == fast) & np.isfinite(fast), 0.0, points)  # of counts, zero and zero
    if q not in arm.draws or q not in base.draws:
        return [Increase(point=float(point), low=math.nan, high=math.nan) for point in points]
    drawn = arm.draws[q][arms], base.draws[q][bases]
    outer, inner = percentile_intervals(*drawn, (CONFIDENCE, INNER_CONFIDENCE))
    (inner_ns,) = percentile_intervals(*drawn, (INNER_CONFIDENCE,), relative=False)
    ends = np.stack([points, *outer, *inner, *inner_ns], axis=1).tolist()
    return [
        Increase(point=row[0], low=row[1], high=row[2], inner_pct=(row[3], row[4]), inner_ns=(row[5], row[6]))
        for row in ends
    ]


def _by_common_blocks(values: Floats, pairs: Iterable[Pair]) -> Iterator[tuple[npt.NDArray[np.bool_], list[Pair]]]:
    """Group `pairs` by the blocks that both of their rows have, pairs of one baseline together."""
    present = ~np.isnan(values)
    groups: dict[bytes, list[Pair]] = {}
    for arm, base in sorted(pairs, key=lambda pair: pair[1]):
        groups.setdefault((present[arm] & present[base]).tobytes(), []).append((arm, base))
    for common, members in groups.items():
        yield np.frombuffer(common, dtype=np.bool_), members
