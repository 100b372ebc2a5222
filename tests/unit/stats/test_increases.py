import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pqbed.stats.block_bootstrap import (
    MOST_UNITS,
    draw_counts,
    drawn_quantiles,
    independent_quantiles,
    percentile_intervals,
)
from pqbed.stats.increases import independent_increase, paired_increases
from pqbed.stats.quantiles import quantiles

SHARES = (0.5, 0.9)
INF, NAN = math.inf, math.nan


def slow_drawn_quantile(values: Any, counts: Any, share: Any) -> Any:
    """Sort each draw: what the fast way must equal."""
    return np.array([np.quantile(np.repeat(values, counts[:, draw]), share) for draw in range(counts.shape[1])])


@pytest.mark.parametrize("blocks", [1, 2, 3, 10, 57, 256, 1001, MOST_UNITS])
def test_the_fast_way_equals_sorting_each_draw(blocks: Any) -> None:
    rng = np.random.default_rng(blocks)
    values = rng.integers(0, 40, size=(3, blocks)).astype(float)  # many ties
    counts = draw_counts(blocks, 200, 1)
    order = np.argsort(values, axis=1)
    found = drawn_quantiles(np.take_along_axis(values, order, axis=1), order, counts, SHARES)
    for place, share in enumerate(SHARES):
        for arm in range(3):
            np.testing.assert_allclose(found[place, arm], slow_drawn_quantile(values[arm], counts, share), rtol=1e-12)


def test_each_draw_has_as_many_blocks_as_there_are() -> None:
    counts = draw_counts(40, 300, 1)
    assert counts.shape == (40, 300)
    assert set(counts.sum(axis=0)) == {40}
    assert np.array_equal(counts, draw_counts(40, 300, 1))
    assert not np.array_equal(counts, draw_counts(40, 300, 2))


@pytest.mark.parametrize("blocks", [MOST_UNITS + 1, 3 * MOST_UNITS, 20_000])
def test_of_a_long_cell_neighbours_are_drawn_together(blocks: int) -> None:
    rng = np.random.default_rng(blocks)
    values = rng.normal(size=(2, blocks)) + np.linspace(0, 1, blocks)
    counts = draw_counts(blocks, 50, 1)
    assert counts.shape == (MOST_UNITS, 50)
    order = np.argsort(values, axis=1)
    found = drawn_quantiles(np.take_along_axis(values, order, axis=1), order, counts, SHARES)
    whole = counts[np.arange(blocks) * MOST_UNITS // blocks]
    for place, share in enumerate(SHARES):
        for arm in range(2):
            np.testing.assert_allclose(found[place, arm], slow_drawn_quantile(values[arm], whole, share), rtol=1e-9)


def test_neighbours_drawn_together_give_intervals_of_the_same_length() -> None:
    values = np.random.default_rng(2).lognormal(size=(2, 8 * MOST_UNITS)) * 1e9
    (wide,) = paired_increases(values, [(1, 0)], [0.5], draws=2000)[1, 0]
    # The asymptotic deviation of a median is sqrt(pi / 2) / sqrt(n) of a standard normal logarithm; of two, more.
    length = 2 * 1.96 * 100 * math.sqrt(2 * math.pi / 2 / values.shape[1])
    assert wide.high - wide.low == pytest.approx(length, rel=0.1)


def test_a_censored_share_of_a_long_cell_is_infinite() -> None:
    values = np.random.default_rng(3).lognormal(size=(1, 5 * MOST_UNITS))
    values[0, :MOST_UNITS] = INF
    order = np.argsort(values, axis=1)
    counts = draw_counts(values.shape[1], 100, 1)
    low, high = drawn_quantiles(np.take_along_axis(values, order, axis=1), order, counts, (0.7, 0.9))
    assert np.isfinite(low).all()
    assert np.isinf(high).all()


def test_an_exact_multiple_has_no_width() -> None:
    base = np.random.default_rng(1).lognormal(size=100)
    found = paired_increases(np.stack([base, 1.25 * base]), [(1, 0)], SHARES)
    for increase in found[1, 0]:
        assert (increase.point, increase.low, increase.high) == pytest.approx((25, 25, 25))


def test_only_blocks_that_both_arms_have_are_compared() -> None:
    values = np.full((2, 60), NAN)
    values[0, :50] = 10.0
    values[1, 10:] = 12.0
    values[0, :10] = 1e9
    increase = paired_increases(values, [(1, 0)], [0.5])[1, 0][0]
    assert increase.point == pytest.approx(20)
    values[1, :50] = NAN
    increase = paired_increases(values, [(1, 0)], [0.5])[1, 0][0]
    assert math.isnan(increase.point)
    assert math.isnan(increase.low)


def test_many_arms_at_once_are_each_as_alone() -> None:
    rng = np.random.default_rng(3)
    values = rng.lognormal(size=(12, 700))
    values[5, 3] = NAN
    values[8, 10:40] = INF
    pairs = [(arm, arm // 4 * 4) for arm in range(12) if arm % 4]
    together = paired_increases(values, pairs, SHARES)
    for pair in pairs:
        assert together[pair] == paired_increases(values, [pair], SHARES)[pair]


def test_an_interval_agrees_with_scipy_where_arms_are_drawn_as_pairs() -> None:
    rng = np.random.default_rng(4)
    base = rng.lognormal(size=200)
    arm = base * rng.lognormal(0.1, 0.2, size=200)

    def statistic(arm: Any, base: Any, axis: Any = -1) -> Any:
        return 100 * (np.quantile(arm, 0.5, axis=axis) / np.quantile(base, 0.5, axis=axis) - 1)

    oracle = stats.bootstrap((arm, base), statistic, paired=True, method="percentile", rng=1, n_resamples=4000)
    increase = paired_increases(np.stack([base, arm]), [(1, 0)], [0.5])[1, 0][0]
    width = oracle.confidence_interval.high - oracle.confidence_interval.low
    assert increase.low == pytest.approx(oracle.confidence_interval.low, abs=0.15 * width)
    assert increase.high == pytest.approx(oracle.confidence_interval.high, abs=0.15 * width)


def test_few_blocks_give_a_point_and_no_interval() -> None:
    values = np.array([[10.0] * 5, [11.0] * 5])
    increase = paired_increases(values, [(1, 0)], [0.5])[1, 0][0]
    assert increase.point == pytest.approx(10)
    assert math.isnan(increase.low)
    assert math.isnan(increase.high)


@pytest.mark.parametrize(
    ("arm", "base", "low", "high"),
    [
        ([2.0] * 100, [1.0] * 100, 100, 100),
        ([2.0] * 50 + [INF] * 50, [1.0] * 100, 100, NAN),
        ([2.0] * 100, [1.0] * 50 + [INF] * 50, NAN, 100),
        ([INF] * 100, [INF] * 100, NAN, NAN),
        ([2.0] * 99 + [INF], [1.0] * 99 + [INF], 100, 100),
        # In one draw of ten nothing is known of either arm: it may be lowest, and it may be highest.
        ([2.0] * 90 + [INF] * 10, [1.0] * 90 + [INF] * 10, NAN, NAN),
    ],
)
def test_censored_draws_unbound_the_end_they_may_lie_at(arm: Any, base: Any, low: Any, high: Any) -> None:
    ((lows, highs),) = percentile_intervals(np.array([arm]), np.array([base]))
    assert (lows[0], highs[0]) == pytest.approx((low, high), nan_ok=True)


def test_samples_without_common_blocks_are_drawn_on_their_own() -> None:
    rng = np.random.default_rng(4)
    base, arm = rng.lognormal(size=200), rng.lognormal(0.3, size=150)

    def statistic(arm: Any, base: Any, axis: Any = -1) -> Any:
        return 100 * (np.quantile(arm, 0.5, axis=axis) / np.quantile(base, 0.5, axis=axis) - 1)

    oracle = stats.bootstrap((arm, base), statistic, method="percentile", rng=1, n_resamples=4000)
    [increase] = independent_increase(arm, base, [0.5], draws=4000)
    width = oracle.confidence_interval.high - oracle.confidence_interval.low
    assert increase.point == pytest.approx(statistic(arm, base))
    assert increase.low == pytest.approx(oracle.confidence_interval.low, abs=0.15 * width)
    assert increase.high == pytest.approx(oracle.confidence_interval.high, abs=0.15 * width)
    assert math.isnan(independent_increase(arm, base[:0], [0.5])[0].point)
    assert math.isnan(independent_increase(arm, base[:5], [0.5])[0].low)


def covered_share(
    shared: Any, own: Any, share: Any, *, trials: Any = 1000, blocks: Any = 200, factor: Any = 1.10
) -> Any:
    """Return how often the interval holds the truth where blocks and fetches vary by these sigmas."""
    rng = np.random.default_rng(11)
    blocks_of_both = rng.lognormal(0, shared, size=(trials, blocks))
    fetches = rng.lognormal(0, own, size=(2, trials, blocks))
    values = (blocks_of_both * fetches * np.array([1.0, factor])[:, None, None]).reshape(2 * trials, blocks)
    found = paired_increases(values, [(trials + number, number) for number in range(trials)], [share], draws=400)
    truth = 100 * (factor - 1)
    return sum(increase.low <= truth <= increase.high for [increase] in found.values()) / trials


@pytest.mark.parametrize("share", SHARES)
def test_the_interval_covers_the_truth_about_95_times_of_100(share: Any) -> None:
    assert 0.93 <= covered_share(0.2, 0.5, share) <= 0.97


def test_arms_that_share_most_of_their_noise_get_an_interval_too_wide_rather_than_too_narrow() -> None:
    assert covered_share(0.5, 0.1, 0.5, trials=300) >= 0.95


def test_where_both_arms_time_out_the_interval_holds_the_truth_or_is_unbounded() -> None:
    """Simulated truth: arms that are 10% apart, and a time-out that censors about one block in ten of both."""
    trials, blocks, truth, timeout = 300, 200, 10.0, 1.9
    rng = np.random.default_rng(23)
    shared = rng.lognormal(0, 0.45, size=(trials, blocks))
    base, arm = (shared * rng.lognormal(0, 0.15, size=(trials, blocks)) * factor for factor in (1.0, 1 + truth / 100))
    values = np.concatenate([base, arm])
    values[values > timeout] = INF
    found = paired_increases(values, [(trials + number, number) for number in range(trials)], [0.9], draws=400)
    ends = np.array([(increase.low, increase.high) for [increase] in found.values()])
    assert 0.2 < np.isnan(ends).any(axis=1).mean() < 1, "some draws reach into the censored part, and some do not"
    too_high, too_low = ends[:, 0] > truth, ends[:, 1] < truth  # False where an end is unbounded
    assert too_high.mean() <= 0.035
    assert too_low.mean() <= 0.035


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("count", [2, 7, 200])
def test_the_place_of_an_order_statistic_is_distributed_as_resampling_gives_it(count: int, share: float) -> None:
    ordered = np.sort(np.random.default_rng(count).lognormal(size=count))
    ordered[-1] = INF
    draws = 4000
    quick = independent_quantiles(ordered, share, draws, 1)
    rng = np.random.default_rng(2)
    slow = quantiles(np.sort(ordered[rng.integers(count, size=(draws, count))], axis=1), share)
    for level in (0.025, 0.25, 0.5, 0.75, 0.975):  # the share of draws below each value agrees, atoms included
        at = np.quantile(slow, level, method="lower")
        assert np.mean(quick <= at) == pytest.approx(np.mean(slow <= at), abs=0.03)
