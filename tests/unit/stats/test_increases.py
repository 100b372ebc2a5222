import math

import numpy as np
import pytest
from scipy import stats

from pqbed.stats.block_bootstrap import MOST_COUNTS, draw_counts, drawn_quantiles, percentile_intervals
from pqbed.stats.increases import independent_increase, paired_increases

SHARES = (0.5, 0.9)
INF, NAN = math.inf, math.nan


def slow_drawn_quantile(values, counts, share):
    """Sort each draw: what the fast way must equal."""
    return np.array([np.quantile(np.repeat(values, counts[:, draw]), share) for draw in range(counts.shape[1])])


@pytest.mark.parametrize("blocks", [1, 2, 3, 10, 57, 256, 1001, 5000])
def test_the_fast_way_equals_sorting_each_draw(blocks):
    rng = np.random.default_rng(blocks)
    values = rng.integers(0, 40, size=(3, blocks)).astype(float)  # many ties
    counts = draw_counts(blocks, 200, 1)
    order = np.argsort(values, axis=1)
    found = drawn_quantiles(np.take_along_axis(values, order, axis=1), order, counts, SHARES)
    for place, share in enumerate(SHARES):
        for arm in range(3):
            np.testing.assert_allclose(found[place, arm], slow_drawn_quantile(values[arm], counts, share), rtol=1e-12)


def test_each_draw_has_as_many_blocks_as_there_are():
    counts = draw_counts(40, 300, 1)
    assert counts.shape == (40, 300)
    assert set(counts.sum(axis=0)) == {40}
    assert np.array_equal(counts, draw_counts(40, 300, 1))
    assert not np.array_equal(counts, draw_counts(40, 300, 2))


def test_a_very_long_cell_is_drawn_less_often_than_would_fill_the_memory():
    blocks = MOST_COUNTS // 300
    assert draw_counts(blocks, 1000, 1).size <= MOST_COUNTS
    draw_counts.cache_clear()


def test_an_exact_multiple_has_no_width():
    base = np.random.default_rng(1).lognormal(size=100)
    found = paired_increases(np.stack([base, 1.25 * base]), [(1, 0)], SHARES)
    for increase in found[1, 0]:
        assert (increase.point, increase.low, increase.high) == pytest.approx((25, 25, 25))


def test_only_blocks_that_both_arms_have_are_compared():
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


def test_many_arms_at_once_are_each_as_alone():
    rng = np.random.default_rng(3)
    values = rng.lognormal(size=(12, 700))
    values[5, 3] = NAN
    values[8, 10:40] = INF
    pairs = [(arm, arm // 4 * 4) for arm in range(12) if arm % 4]
    together = paired_increases(values, pairs, SHARES)
    for pair in pairs:
        assert together[pair] == paired_increases(values, [pair], SHARES)[pair]


def test_an_interval_agrees_with_scipy_where_arms_are_drawn_as_pairs():
    rng = np.random.default_rng(4)
    base = rng.lognormal(size=200)
    arm = base * rng.lognormal(0.1, 0.2, size=200)

    def statistic(arm, base, axis=-1):
        return 100 * (np.quantile(arm, 0.5, axis=axis) / np.quantile(base, 0.5, axis=axis) - 1)

    oracle = stats.bootstrap((arm, base), statistic, paired=True, method="percentile", rng=1, n_resamples=4000)
    increase = paired_increases(np.stack([base, arm]), [(1, 0)], [0.5])[1, 0][0]
    width = oracle.confidence_interval.high - oracle.confidence_interval.low
    assert increase.low == pytest.approx(oracle.confidence_interval.low, abs=0.15 * width)
    assert increase.high == pytest.approx(oracle.confidence_interval.high, abs=0.15 * width)


def test_few_blocks_give_a_point_and_no_interval():
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
    ],
)
def test_censored_draws_unbound_the_end_they_may_lie_at(arm, base, low, high):
    lows, highs = percentile_intervals(np.array([arm]), np.array([base]))
    assert (lows[0], highs[0]) == pytest.approx((low, high), nan_ok=True)


def test_samples_without_common_blocks_are_drawn_on_their_own():
    rng = np.random.default_rng(4)
    base, arm = rng.lognormal(size=200), rng.lognormal(0.3, size=150)

    def statistic(arm, base, axis=-1):
        return 100 * (np.quantile(arm, 0.5, axis=axis) / np.quantile(base, 0.5, axis=axis) - 1)

    oracle = stats.bootstrap((arm, base), statistic, method="percentile", rng=1, n_resamples=4000)
    [increase] = independent_increase(arm, base, [0.5], draws=4000)
    width = oracle.confidence_interval.high - oracle.confidence_interval.low
    assert increase.point == pytest.approx(statistic(arm, base))
    assert increase.low == pytest.approx(oracle.confidence_interval.low, abs=0.15 * width)
    assert increase.high == pytest.approx(oracle.confidence_interval.high, abs=0.15 * width)
    assert math.isnan(independent_increase(arm, base[:0], [0.5])[0].point)
    assert math.isnan(independent_increase(arm, base[:5], [0.5])[0].low)


def covered_share(shared, own, share, *, trials=1000, blocks=200, factor=1.10):
    """Return how often the interval holds the truth where blocks and fetches vary by these sigmas."""
    rng = np.random.default_rng(11)
    blocks_of_both = rng.lognormal(0, shared, size=(trials, blocks))
    fetches = rng.lognormal(0, own, size=(2, trials, blocks))
    values = (blocks_of_both * fetches * np.array([1.0, factor])[:, None, None]).reshape(2 * trials, blocks)
    found = paired_increases(values, [(trials + number, number) for number in range(trials)], [share], draws=400)
    truth = 100 * (factor - 1)
    return sum(increase.low <= truth <= increase.high for [increase] in found.values()) / trials


@pytest.mark.parametrize("share", SHARES)
def test_the_interval_covers_the_truth_about_95_times_of_100(share):
    assert 0.93 <= covered_share(0.2, 0.5, share) <= 0.97


def test_arms_that_share_most_of_their_noise_get_an_interval_too_wide_rather_than_too_narrow():
    assert covered_share(0.5, 0.1, 0.5, trials=300) >= 0.95
