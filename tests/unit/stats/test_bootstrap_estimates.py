import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pqbed.stats.bootstrap_estimates import (
    BootstrapEstimate,
    QuantileEstimator,
    combine,
    increase,
    largest,
    mean,
    ratio,
)


def rows(*cells: list[Any] | npt.NDArray[Any]) -> QuantileEstimator:
    return QuantileEstimator(np.array(cells, dtype=np.float64))


def test_a_quantile_is_that_of_the_row_with_an_interval_around_it() -> None:
    generator = np.random.default_rng(1)
    found = rows(generator.normal(100, 10, 400)).quantile(0, 0.5)
    assert found.point == pytest.approx(100, abs=2)
    assert found.interval is not None
    low, high = found.interval
    # 1.96 * sqrt(pi / 2) * 10 / sqrt(400) on each side.
    assert high - low == pytest.approx(2 * 1.23, rel=0.4)
    assert low < found.point < high


def test_blocks_that_a_row_lacks_are_left_out_of_all() -> None:
    found = rows([1, 2, 3, math.nan], [10, 20, 30, 40])
    assert found.quantile(1, 0.5).point == 20


def test_what_two_rows_share_cancels() -> None:
    noise = np.random.default_rng(2).normal(0, 10, 200)
    found = rows(1000 + noise, 2 * (1000 + noise))
    more = increase(found.quantile(1, 0.5), found.quantile(0, 0.5))
    assert more.point == pytest.approx(100)
    assert more.interval == pytest.approx((100, 100))


def test_few_blocks_have_no_interval() -> None:
    assert rows([1, 2, 3]).quantile(0, 0.9).interval is None
    assert mean([BootstrapEstimate(point=1), BootstrapEstimate(point=3, draws=np.ones(5))]) == BootstrapEstimate(
        point=2
    )


def test_a_failure_in_the_quantile_is_infinite_and_bounds_nothing() -> None:
    found = rows([1.0] * 10 + [math.inf] * 30).quantile(0, 0.5)
    assert math.isinf(found.point)
    assert found.interval is None


def test_numbers_are_put_together_within_each_draw() -> None:
    one, two = (
        BootstrapEstimate(point=2, draws=np.array([1.0, 3.0])),
        BootstrapEstimate(point=4, draws=np.array([5.0, 3.0])),
    )
    for made, point, draws in (
        (mean([one, two]), 3, [3, 3]),
        (largest([one, two]), 4, [5, 3]),
        (ratio(one, two), 0.5, [0.2, 1]),
        (combine(lambda value: value + 1, one), 3, [2, 4]),
    ):
        assert made.point == point
        assert made.draws is not None
        assert made.draws.tolist() == draws


def test_nothing_stays_nothing() -> None:
    found = rows([math.nan, math.nan]).quantile(0, 0.5)
    assert math.isnan(found.point)
    assert math.isnan(increase(found, found).point)
