"""How much slower one arm is than another, with an interval from drawing whole blocks again.

Within a run both arms get the same block numbers in a draw: they met the same losses in a block, and what they share
cancels. Between runs nothing is shared, and each is drawn on its own. The interval is the percentile one: it held the
truth 93 to 97 times of 100 in simulations, and more often (it is too wide) where the arms share nearly all of their
noise.
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

from pqbed.stats.block_bootstrap import Counts, draw_counts, drawn_quantiles
from pqbed.stats.quantiles import CONFIDENCE, Floats, interval_exists, quantiles

DRAWS = 1000
SEED = 20_180_813  # of the statistics, not of a sweep: the same samples give the same interval
# Pairs worked on together: what they need stays in the CPU's cache.
_PAIRS_TOGETHER = 24

# Inside a margin it is what two one-sided tests at 5 % are (Schuirmann 1987).
INNER_CONFIDENCE = 0.90

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Increase:
    """Per cent by which a quantile of the arm exceeds the baseline's, with its 95 % interval.

    `inner_pct` and `inner_ns` are the 90 % intervals of the increase and of the difference itself, for tests of
    equivalence. NaN: undefined or unbounded.
    """

    point: float
    low: float
    high: float
    inner_pct: tuple[float, float] = (math.nan, math.nan)
    inner_ns: tuple[float, float] = (math.nan, math.nan)


UNKNOWN = Increase(point=math.nan, low=math.nan, high=math.nan)


def paired_increases(
    values: Floats, pairs: Sequence[Pair], shares: Sequence[float], draws: int = DRAWS, seed: int = SEED
) -> dict[Pair, list[Increase]]:
    """Compare rows of `values` (cells x blocks; NaN: no sample, infinite: failed): (arm, baseline) each.

    Only blocks that both have count. One increase for each of `shares`, in order; without ends where there are too few
    blocks for an interval of order statistics.
    """
    found: dict[Pair, list[Increase]] = {}
    for common, members in _by_common_blocks(values, pairs):
        blocks = int(np.count_nonzero(common))
        if not blocks:
            found.update(dict.fromkeys(members, [UNKNOWN] * len(shares)))
            continue
        counts = draw_counts(blocks, draws, seed)
        parts = [members[start : start + _PAIRS_TOGETHER] for start in range(0, len(members), _PAIRS_TOGETHER)]
        for part in _in_threads(functools.partial(_compare, values, common, counts, shares), parts):
            found.update(part)
    return found


def independent_increase(
    arm: Floats, base: Floats, shares: Sequence[float], draws: int = DRAWS, seed: int = SEED
) -> list[Increase]:
    """Compare two samples that share no blocks (none NaN; infinite: failed): one increase for each of `shares`."""
    if not arm.size or not base.size:
        return [UNKNOWN] * len(shares)
    sides = []
    for number, values in enumerate((arm, base)):
        rows = values[np.newaxis, :]
        sides.append(_Drawn.of(rows, draw_counts(values.size, draws, seed + number), shares))
    return [_increases(sides[0], sides[1], [0], [0], share)[0] for share in range(len(shares))]


def _in_threads(
    work: Callable[[list[Pair]], dict[Pair, list[Increase]]], parts: Sequence[list[Pair]]
) -> Iterator[dict[Pair, list[Increase]]]:
    """Do `work` on all cores: numpy lets other threads run. The products inside are too small to be shared as well."""
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(work, parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """Quantiles of some arms: as measured (shares x arms), and in each draw where an interval exists."""

    points: Floats
    draws: dict[int, Floats]

    @classmethod
    def of(cls, values: Floats, counts: Counts, shares: Sequence[float]) -> "_Drawn":
        order = np.argsort(values, axis=1)
        ordered = np.take_along_axis(values, order, axis=1)
        bounded = [place for place, share in enumerate(shares) if interval_exists(values.shape[1], share)]
        drawn = drawn_quantiles(ordered, order, counts, [shares[place] for place in bounded])
        points = np.array([quantiles(ordered, share) for share in shares])
        return cls(points=points, draws=dict(zip(bounded, drawn, strict=True)))


def _compare(
    values: Floats, common: npt.NDArray[np.bool_], counts: Counts, shares: Sequence[float], pairs: Sequence[Pair]
) -> dict[Pair, list[Increase]]:
    rows = sorted({row for pair in pairs for row in pair})
    drawn = _Drawn.of(values[rows][:, common], counts, shares)
    place = {row: number for number, row in enumerate(rows)}
    arms, bases = ([place[pair[side]] for pair in pairs] for side in (0, 1))
    by_share = [_increases(drawn, drawn, arms, bases, share) for share in range(len(shares))]
    return {pair: [found[number] for found in by_share] for number, pair in enumerate(pairs)}


def _increases(arm: _Drawn, base: _Drawn, arms: list[int], bases: list[int], share: int) -> list[Increase]:
    slow, fast = arm.points[share][arms], base.points[share][bases]
    with np.errstate(invalid="ignore", divide="ignore"):
        points = np.where(np.isfinite(slow) & np.isfinite(fast) & (fast > 0), 100 * (slow / fast - 1), math.nan)
    if share not in arm.draws or share not in base.draws:
        return [Increase(point=float(point), low=math.nan, high=math.nan) for point in points]
    drawn = arm.draws[share][arms], base.draws[share][bases]
    outer, inner = (percentile_intervals(*drawn, confidence) for confidence in (CONFIDENCE, INNER_CONFIDENCE))
    inner_ns = percentile_intervals(*drawn, INNER_CONFIDENCE, relative=False)
    ends = np.stack([points, *outer, *inner, *inner_ns], axis=1).tolist()
    return [
        Increase(point=row[0], low=row[1], high=row[2], inner_pct=(row[3], row[4]), inner_ns=(row[5], row[6]))
        for row in ends
    ]


def percentile_intervals(
    arm: Floats, base: Floats, confidence: float = CONFIDENCE, *, relative: bool = True
) -> tuple[Floats, Floats]:
    """Return the ends of the increase, or of the difference, over the draws (pairs x draws).

    NaN: not bounded by what was seen. In a draw where only the baseline is censored the arm is faster without bound;
    where both are, anything may be true, so it counts as lowest for the lower end and as highest for the upper one.
    """
    with np.errstate(invalid="ignore"):
        change = 100 * (arm / base - 1) if relative else arm - base
    change = np.where(np.isinf(base), -math.inf, change)
    unknown = np.isinf(base) & np.isinf(arm)
    tail = (1 - confidence) / 2 * (change.shape[1] - 1)
    first, last = math.floor(tail), math.ceil(change.shape[1] - 1 - tail)
    low = np.partition(change, first, axis=1)[:, first]
    high = np.partition(np.where(unknown, math.inf, change), last, axis=1)[:, last]
    return _bounded(low), _bounded(high)


def _bounded(ends: Floats) -> Floats:
    found: Floats = np.where(np.isfinite(ends), ends, math.nan)
    return found


def _by_common_blocks(values: Floats, pairs: Iterable[Pair]) -> Iterator[tuple[npt.NDArray[np.bool_], list[Pair]]]:
    """Group `pairs` by the blocks that both of their rows have; those of one baseline stand together."""
    present = ~np.isnan(values)
    groups: dict[bytes, list[Pair]] = {}
    for arm, base in sorted(pairs, key=lambda pair: pair[1]):
        groups.setdefault((present[arm] & present[base]).tobytes(), []).append((arm, base))
    for common, members in groups.items():
        yield np.frombuffer(common, dtype=np.bool_), members
