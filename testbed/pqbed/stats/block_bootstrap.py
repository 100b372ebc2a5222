"""Block bootstrap: quantiles of resampled blocks, in all draws at once and without sorting any of them.

A block drawn m times counts m times. With an arm's blocks in the order of their values, the quantile of a draw is where
the running sum of the counts exceeds its rank. That position is within a few standard deviations of the rank itself, so
only a window of blocks is summed step by step; the blocks below the window are one matrix product. numpy's and scipy's
bootstraps cannot draw blocks, and sort each draw.

Of more than MOST_UNITS blocks, neighbours in time are drawn together, so that the work hardly grows with the samples
(docs/design/dd-026).
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
# How many units are drawn at most: blocks, or groups of neighbours. The length of an interval varies by
# 1/sqrt(2 * MOST_UNITS), 1%, for this, and by more for DRAWS.
MOST_UNITS = 4096

_COUNTS_TOGETHER = 4_000_000
_UNITS_TOGETHER = 1024
# The running sum over so many blocks passes 255 in one of 10**13 draws.
_WIDEST_FOR_A_BYTE = 160

Counts = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]


@functools.lru_cache(maxsize=4)
def draw_counts(blocks: int, draws: int, seed: int) -> Counts:
    """Return how often each unit is in each draw: units x draws. A unit is a block up to MOST_UNITS of them."""
    units = min(blocks, MOST_UNITS)
    generator = np.random.default_rng(seed)
    counts = np.empty((units, draws), dtype=np.uint8)
    together = max(1, _COUNTS_TOGETHER // units)
    for start in range(0, draws, together):
        some = min(together, draws - start)
        drawn = generator.integers(units, size=(some, units)) + units * np.arange(some)[:, np.newaxis]
        counts[:, start : start + some] = (
            np.bincount(drawn.ravel(), minlength=some * units).reshape(some, units).T.astype(np.uint8)
        )
    counts.setflags(write=False)
    return counts


def drawn_quantiles(ordered: Floats, order: Places, counts: Counts, qs: Sequence[float]) -> Floats:
    """Return the quantiles of each arm in each draw: quantiles x arms x draws.

    `ordered` are the values of the arms (arms x blocks, none NaN) in ascending order, `order` the blocks they are of,
    `counts` as of `draw_counts`.
    """
    if not qs:
        return np.empty((0, order.shape[0], counts.shape[1]))
    windows = [_window(order, counts.shape[0], q) for q in qs]
    under = _counts_under(order, [first for first, _ in windows], counts)
    return np.array(
        [
            _quantile_of_draws(ordered, order, counts, q, window=window, under=below)
            for q, window, below in zip(qs, windows, under, strict=True)
        ]
    )


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
    arm: Floats, base: Floats, confidences: Sequence[float] = (CONFIDENCE,), *, relative: bool = True
) -> list[tuple[Floats, Floats]]:
    """Return the ends of percentile intervals of the increase, or of the difference, over draws (pairs x draws).

    NaN: unbounded. In a draw in which only the baseline is censored the arm is faster without bound; if both are,
    anything may be true, so the draw counts as lowest for the lower end and as highest for the upper one.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.where(arm == base, 0.0, 100 * (arm / base - 1) if relative else arm - base)  # counts may be zero
    censored = np.isinf(base)
    lowest = highest = change
    if censored.any():
        lowest = np.where(censored, -math.inf, change)
        highest = np.where(censored & np.isinf(arm), math.inf, lowest)
    most = change.shape[1] - 1
    tails = [(1 - confidence) / 2 * most for confidence in confidences]
    # A whole sort takes half the time of a partition at several places.
    lows = highs = np.sort(lowest, axis=1)
    if highest is not lowest:
        highs = np.sort(highest, axis=1)
    return [(_bounded(lows[:, math.floor(tail)]), _bounded(highs[:, math.ceil(most - tail)])) for tail in tails]


def _bounded(ends: Floats) -> Floats:
    bounded: Floats = np.where(np.isfinite(ends), ends, math.nan)
    return bounded


def _quantile_of_draws(
    ordered: Floats, order: Places, counts: Counts, q: float, *, window: tuple[int, int], under: npt.NDArray[np.float32]
) -> Floats:
    """Return one quantile: arms x draws. `under` counts the values of each draw below the window."""
    blocks, units = ordered.shape[1], counts.shape[0]
    # Groups differ in length by one block, and so do draws by a few.
    drawn = blocks if units == blocks else _unit_sizes(blocks, units) @ counts.astype(np.float64)
    rank = (drawn - 1) * q
    below = np.floor(rank)
    first, last = window
    at, after = _walk(_units_of(order[:, first:last], blocks, units), counts, below + 1 - under)
    starts = first + blocks * np.arange(ordered.shape[0])[:, np.newaxis]
    low: Floats = np.take(ordered, at + starts)
    share = rank - below
    if not np.any(share):
        return low
    between = _interpolate(low, np.take(ordered, after + starts), share)
    return between if np.all(share) else np.where(share > 0, between, low)


def _window(order: Places, units: int, q: float) -> tuple[int, int]:
    """Return between which places of `order` the quantile of a draw is searched.

    How many of the values below the quantile are in a draw is binomial if blocks are drawn; if groups are, the values
    of a group come together, and the deviation is that of the groups.
    """
    blocks = order.shape[1]
    below = int((blocks - 1) * q)
    variance = blocks * q * (1 - q)
    if units < blocks:
        beside = _below_by_unit(order, below, units) - q * _unit_sizes(blocks, units)
        variance = float(np.square(beside).sum(axis=1).max())
    reach = math.ceil(REACH * math.sqrt(variance)) + 1
    return max(0, below - reach), min(blocks, below + 2 + reach)


def _units_of(blocks_chosen: Places, blocks: int, units: int) -> Places:
    return blocks_chosen if units == blocks else blocks_chosen * units // blocks


def _unit_sizes(blocks: int, units: int) -> Floats:
    """Return how many blocks each unit has."""
    return np.bincount(_units_of(np.arange(blocks), blocks, units), minlength=units).astype(np.float64)


def _below_by_unit(order: Places, first: int, units: int) -> npt.NDArray[np.float32]:
    """Return how many of the first places of `order` are of each unit: arms x units."""
    arms, blocks = order.shape
    if units == blocks:
        below = np.zeros((arms, units), dtype=np.float32)
        np.put_along_axis(below, order[:, :first], 1, axis=1)
        return below
    place = _units_of(order[:, :first], blocks, units) + units * np.arange(arms)[:, np.newaxis]
    return np.bincount(place.ravel(), minlength=arms * units).reshape(arms, units).astype(np.float32)


def _place(uniform: Floats, count: int) -> Places:
    return np.minimum((uniform * count).astype(np.intp), count - 1)


def _interpolate(low: Floats, high: Floats, share: float | Floats) -> Floats:
    """Return the value `share` of the way from `low` to `high`; infinite if `high` is censored."""
    with np.errstate(invalid="ignore"):
        between: Floats = np.where(np.isinf(high), math.inf, low + share * (high - low))
    return between


def _counts_under(order: Places, firsts: Sequence[int], counts: Counts) -> npt.NDArray[np.float32]:
    """Return how often the `first` places of `order` are in each draw in total: firsts x arms x draws.

    Exact up to 2**24. One product for all of them: only large ones are fast.
    """
    arms, (units, draws) = order.shape[0], counts.shape
    below = np.concatenate([_below_by_unit(order, first, units) for first in firsts])
    total = np.zeros((below.shape[0], draws), dtype=np.float32)
    for start in range(0, units, _UNITS_TOGETHER):
        some = slice(start, start + _UNITS_TOGETHER)
        total += below[:, some] @ counts[some].astype(np.float32)
    return total.reshape(len(firsts), arms, draws)


def _walk(window: Places, counts: Counts, wanted: Floats) -> tuple[Places, Places]:
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
