"""CUBIC's window: slow start, growth beyond it, and what a time-out does to it."""

import pytest

from pqbed.model.simulate.cubic import INFINITE_SSTHRESH, Cubic

MS = 1_000_000


def test_slow_start_grows_by_what_is_acknowledged_up_to_the_threshold() -> None:
    cubic = Cubic(10)
    cubic.grow(0, 10)
    assert cubic.window == 20
    cubic.threshold = 25
    cubic.grow(0, 4)
    assert (cubic.window, cubic.in_slow_start) == (24, True)


def test_after_slow_start_twenty_acknowledged_add_one() -> None:
    cubic = Cubic(20, threshold=20)
    for _ in range(40):
        cubic.grow(40 * MS, 1)
    assert cubic.window == 22


def test_seconds_later_it_grows_faster() -> None:
    slow, fast = Cubic(100, threshold=100), Cubic(100, threshold=100)
    slow.grow(40 * MS, 1)
    fast.grow(40 * MS, 1)
    for number in range(100):
        slow.grow((50 + number) * MS, 1)
        fast.grow((8_000 + number * 40) * MS, 1)
    assert slow.window - 100 == 5
    # 0.4 (8 s)^3 segments above where it began: the most that CUBIC allows is one for two acknowledged.
    assert fast.window - 100 == pytest.approx(50, abs=2)


def test_a_loss_sets_the_threshold_to_seven_tenths_and_a_time_out_forgets_the_rest() -> None:
    cubic = Cubic(100)
    assert cubic.present_threshold == INFINITE_SSTHRESH
    cubic.reduce()
    assert (cubic.threshold, cubic.window) == (70, 100)
    cubic.window = 1
    cubic.forget(0, 5)
    assert cubic.in_slow_start
    assert not cubic.hystart.ended
