"""Smoothed RTT and time-out, by RFC 6298 and what Linux makes of it."""

import pytest

from pqbed.model.simulate.rtt import RttEstimator


def estimator(*samples_us: int) -> RttEstimator:
    rtt = RttEstimator()
    for number, sample_us in enumerate(samples_us):
        rtt.update(sample_us, sample_us, number, number + 1)
    return rtt


@pytest.mark.parametrize(("rtt_us", "rto"), [(35_000, 235), (100_000, 300), (200_000, 600)])
def test_the_first_sample_gives_three_rtts_but_200_ms_more_at_least(rtt_us: int, rto: int) -> None:
    assert estimator(rtt_us).rto == rto
    assert estimator(rtt_us).srtt_us == rtt_us


def test_later_samples_count_an_eighth() -> None:
    assert estimator(80_000, 160_000).srtt_us == 90_000
    assert estimator(80_000, 160_000).shortest == 80_000


def test_equal_samples_bring_the_time_out_down_to_200_ms_more() -> None:
    assert estimator(*[200_000] * 100).rto == pytest.approx(400, abs=2)


def test_a_time_out_doubles_until_the_next_sample() -> None:
    rtt = estimator(35_000)
    rtt.back_off()
    rtt.back_off()
    assert rtt.rto == 4 * 235
    rtt.update(35_000, 35_000, 9, 10)
    assert rtt.rto < 240


def test_it_never_waits_longer_than_two_minutes() -> None:
    rtt = RttEstimator()
    for _ in range(20):
        rtt.back_off()
    assert rtt.rto == 120_000
