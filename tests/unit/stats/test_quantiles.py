import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pqbed.stats.quantiles import interval_exists, interval_ranks, quantile, quantile_interval, samples_needed

SHARES = (0.5, 0.75, 0.9)


@given(values=st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=50), share=st.sampled_from(SHARES))
def test_quantiles_are_those_of_numpy(values: list[float], share: float) -> None:
    ordered = np.sort(np.array(values))
    assert quantile(ordered, share) == pytest.approx(np.quantile(ordered, share), rel=1e-12, abs=1e-3)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 20, 35, 36, 100, 333, 5000, 100_000])
def test_intervals_are_those_of_scipy(count: int, share: float) -> None:
    ordered = np.arange(count, dtype=float)
    oracle = stats.quantile_test(ordered, p=share).confidence_interval(0.95)
    np.testing.assert_array_equal(quantile_interval(ordered, share), (oracle.low, oracle.high))


def test_the_interval_covers() -> None:
    for count in (6, 50, 200):
        for share in SHARES:
            low, high = interval_ranks(count, share)
            if low is not None and high is not None:
                assert stats.binom.cdf(high, count, share) - stats.binom.cdf(low, count, share) >= 0.95


@pytest.mark.parametrize(("share", "least"), [(0.5, 6), (0.9, 36)])
def test_too_few_values_have_no_interval(share: float, least: int) -> None:
    assert not interval_exists(least - 1, share)
    assert interval_exists(least, share)


def test_censored_values_reach_into_quantiles_and_never_vanish() -> None:
    ordered = np.array([1.0, 2.0, 3.0, 4.0, math.inf])
    assert quantile(ordered, 0.5) == 3
    assert quantile(ordered, 0.75) == 4
    assert quantile(ordered, 0.9) == math.inf
    assert quantile(np.array([math.inf]), 0.5) == math.inf
    assert math.isnan(quantile(np.array([]), 0.5))


def test_one_value() -> None:
    assert quantile(np.array([7.0]), 0.9) == 7
    assert all(map(math.isnan, quantile_interval(np.array([7.0]), 0.9)))
    assert all(map(math.isnan, quantile_interval(np.array([]), 0.5)))


@pytest.mark.parametrize(("share", "count"), [(0.5, 6), (0.9, 36), (0.99, 368)])
def test_samples_needed_for_an_interval(share: float, count: int) -> None:
    assert samples_needed(share) == count
    assert not interval_exists(count - 1, share)
