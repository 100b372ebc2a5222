"""Block bootstrap: quantiles of resampled blocks, in all draws at once and without sorting any of them.

A block drawn m times counts m times. With an arm's blocks in the order of their values, the quantile of a draw is where
the running sum of the counts exceeds its rank. That position is within a few standard deviations of the rank itself, so
only a window of blocks is summed step by step; the blocks below the window are one matrix product.
numpy's and scipy's bootstraps cannot draw blocks, and sort each draw.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pqbed.stats.quantiles import CONFIDENCE, Floats

DRAWS = 1000
SEED = 20_180_813  # of the statistics, not of a sweep: the same samples give the same interval
# How far from its rank the quantile of a draw is searched, in standard deviations of the binomial. Six of 100,000
# draws lie farther out; they count as at the edge of the window, beyond the ends of a 95% interval as before.
REACH = 4.0
# Counts held in memory, a byte each. Above this there are fewer draws.
MOST_COUNTS = 200_000_000
FEWEST_DRAWS = 200

_COUNTS_TOGETHER = 4_000_000
_BLOCKS_TOGETHER = 4096
# The running sum over so many blocks passes 255 in one of 10**13 draws.
_WIDEST_FOR_A_BYTE = 160

Counts = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]


@functools.lru_cache(maxsize=4)
def draw_counts(blocks: int, draws: int, seed: int) -> Counts:
    """Return how often each block is in each draw: blocks x draws, or fewer draws if they would fill the memory."""
    draws = min(draws, max(FEWEST_DRAWS, MOST_COUNTS // blocks))
    generator = np.random.default_rng(seed)
    counts = np.empty((blocks, draws), dtype=np.uint8)
    together = max(1, _COUNTS_TOGETHER // blocks)
    for start in range(0, draws, together):
        some = min(together, draws - start)
        drawn = generator.integers(blocks, size=(some, blocks)) + blocks * np.arange(some)[:, np.newaxis]
        counts[:, start : start + some] = (
            np.bincount(drawn.ravel(), minlength=some * blocks).reshape(some, blocks).T.astype(np.uint8)
        )
    counts.setflags(write=False)
    return counts


def drawn_quantiles(ordered: Floats, order: Places, counts: Counts, qs: Sequence[float]) -> Floats:
    """Return the quantiles of each arm in each draw: quantiles x arms x draws.

    `ordered` are the values of the arms (arms x blocks, none NaN) in ascending order, `order` the blocks they are of.
    """
    return np.array([_quantile_of_draws(ordered, order, counts, q) for q in qs])


def independent_quantiles(ordered: Floats, q: float, draws: int, seed: int) -> Floats:
    """Return the quantile of ascending values in each of `draws` resamples that share no blocks with anything else.

    Nothing is resampled: value number ceil(n U) is the k-th smallest of a resample of n values if U is the k-th
    smallest of n uniform numbers, which is distributed as Beta(k, n - k + 1) (David and Nagaraja 2003, 2.3), and the
    next one lies in the rest as the smallest of n - k does.
    """
    generator = np.random.default_rng(seed)
    count, rank = ordered.size, (ordered.size - 1) * q
    below = int(rank)
    at = generator.beta(below + 1, count - below, draws)
    low = ordered[_place(at, count)]
    if rank == below:
        return low
    after = 1 - (1 - at) * generator.random(draws) ** (1 / (count - below - 1))
    high = ordered[_place(after, count)]
    return _interpolate(low, high, rank - below)


def percentile_intervals(
    arm: Floats, base: Floats, confidence: float = CONFIDENCE, *, relative: bool = True
) -> tuple[Floats, Floats]:
    """Return the ends of the percentile interval of the increase, or of the difference, over draws (pairs x draws).

    NaN: unbounded. In a draw in which only the baseline is censored the arm is faster without bound; if both are,
    anything may be true, so the draw counts as lowest for the lower end and as highest for the upper one.
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
    bounded: Floats = np.where(np.isfinite(ends), ends, math.nan)
    return bounded


def _quantile_of_draws(ordered: Floats, order: Places, counts: Counts, q: float) -> Floats:
    blocks = ordered.shape[1]
    rank = (blocks - 1) * q
    below = int(rank)
    reach = math.ceil(REACH * math.sqrt(blocks * q * (1 - q))) + 1
    first, last = max(0, below - reach), min(blocks, below + 2 + reach)
    wanted = below + 1 - _counts_under(order[:, :first], counts)
    at, after = _walk(order[:, first:last], counts, wanted)
    low: Floats = np.take_along_axis(ordered, first + at, axis=1)
    if rank == below:
        return low
    return _interpolate(low, np.take_along_axis(ordered, first + after, axis=1), rank - below)


def _place(uniform: Floats, count: int) -> Places:
    return np.minimum((uniform * count).astype(np.intp), count - 1)


def _interpolate(low: Floats, high: Floats, share: float) -> Floats:
    """Return the value `share` of the way from `low` to `high`; infinite if `high` is censored."""
    with np.errstate(invalid="ignore"):
        between: Floats = np.where(np.isinf(high), math.inf, low + share * (high - low))
    return between


def _counts_under(order: Places, counts: Counts) -> npt.NDArray[np.float32]:
    """Return how often the blocks in `order` are in each draw in total: arms x draws. Exact up to 2**24 blocks."""
    arms, (blocks, draws) = order.shape[0], counts.shape
    chosen = np.zeros((arms, blocks), dtype=np.float32)
    np.put_along_axis(chosen, order, 1, axis=1)
    total = np.zeros((arms, draws), dtype=np.float32)
    for start in range(0, blocks, _BLOCKS_TOGETHER):
        some = slice(start, start + _BLOCKS_TOGETHER)
        total += chosen[:, some] @ counts[some].astype(np.float32)
    return total


def _walk(window: Places, counts: Counts, wanted: npt.NDArray[np.float32]) -> tuple[Places, Places]:
    """Return where in `window` (arms x width) the running sum reaches `wanted` (arms x draws), and `wanted` + 1."""
    arms, width = window.shape
    kind = np.uint8 if width <= _WIDEST_FOR_A_BYTE else np.uint16
    first = np.clip(wanted, 0, np.iinfo(kind).max - 1).astype(kind)
    second = np.add(first, 1, dtype=kind)
    shape = (arms, counts.shape[1])
    total, at, after = np.zeros(shape, kind), np.zeros(shape, kind), np.zeros(shape, kind)
    drawn, short = np.empty(shape, np.uint8), np.empty(shape, np.bool_)
    for place in range(width):
        np.take(counts, window[:, place], axis=0, out=drawn, mode="clip")
        np.add(total, drawn, out=total)
        np.add(at, np.less(total, first, out=short).view(np.uint8), out=at)
        np.add(after, np.less(total, second, out=short).view(np.uint8), out=after)
    edge = width - 1
    return np.minimum(at, edge).astype(np.intp), np.minimum(after, edge).astype(np.intp)
