from dataclasses import replace

import pytest

from pqbed.duration.estimate import estimate_seconds, samples_for_budget
from pqbed.plan import plan_sweep
from pqbed.spec.link import RandomLoss
from pqbed.spec.run_options import Clock
from support.sweeps import SWEEP, small_plan

ONE = replace(SWEEP, rtt_ns=(200_000_000,), size_bytes=(204_800,), profiles=SWEEP.profiles[:1], samples=1)


def test_the_real_clock_waits_and_the_virtual_one_computes() -> None:
    assert estimate_seconds(plan_sweep(ONE), "real", 1) == pytest.approx(2.6, abs=0.2)
    assert estimate_seconds(plan_sweep(ONE), "virtual", 1) == pytest.approx(0.011, rel=0.1)


def test_loss_stretches_as_it_was_measured() -> None:
    lossy = replace(ONE, loss=(RandomLoss(probability_ppm=100_000),))
    assert estimate_seconds(plan_sweep(lossy), "real", 1) == pytest.approx(8.6, rel=0.15)


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_lanes_and_samples_scale(clock: Clock) -> None:
    once = estimate_seconds(small_plan(samples=1), clock, 1)
    assert estimate_seconds(small_plan(samples=30), clock, 4) == pytest.approx(once * 30 / 4)


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_the_budget_is_filled_and_not_exceeded(clock: Clock) -> None:
    samples = samples_for_budget(SWEEP, clock, 2, 120)
    assert estimate_seconds(small_plan(samples=samples), clock, 2) <= 120
    assert estimate_seconds(small_plan(samples=samples + 1), clock, 2) > 120


def test_at_least_one_sample() -> None:
    assert samples_for_budget(SWEEP, "real", 1, 0.001) == 1
