"""Exact intervals of a proportion, against scipy's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from pqbed.calibrate.binomial import cumulative, proportion_interval


def test_no_trial_says_nothing() -> None:
    assert proportion_interval(0, 0, 0.05) == (0.0, 1.0)


@given(st.integers(1, 400), st.data(), st.sampled_from([0.05, 1e-4]))
def test_the_interval_is_the_exact_one(trials: int, data: st.DataObject, alpha: float) -> None:
    successes = data.draw(st.integers(0, trials))
    theirs = binomtest(successes, trials).proportion_ci(1 - alpha, "exact")
    assert proportion_interval(successes, trials, alpha) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(st.integers(1, 300), st.data(), st.floats(1e-6, 1 - 1e-6))
def test_the_cumulative_distribution_is_scipy_s(trials: int, data: st.DataObject, p: float) -> None:
    successes = data.draw(st.integers(0, trials))
    assert cumulative(successes, trials, p) == pytest.approx(binom.cdf(successes, trials, p), abs=1e-9)


@pytest.mark.parametrize(("successes", "p", "chance"), [(0, 0, 1), (0, -1, 1), (9, 1, 0), (10, 1, 1), (10, 2, 1)])
def test_what_is_certain(successes: int, p: float, chance: float) -> None:
    assert cumulative(successes, 10, p) == chance
