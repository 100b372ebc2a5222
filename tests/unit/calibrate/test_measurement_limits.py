"""Limits of what is measured and of what is judged: exact values on both sides of each."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pqbed.beds.fake_calibration import fake_measurement
from pqbed.calibrate.delay_spread import asked_delays, critical_distance, distance, quantile, stretched
from pqbed.calibrate.deviations import draws_in_one, judge
from pqbed.calibrate.link_probe import DirectionProbe, RequestedDirection, StageQueues
from pqbed.calibrate.measure_link import _late, _spread_ns
from pqbed.calibrate.measurement import QUANTILES, LinkMeasurement
from pqbed.calibrate.prober import Arrivals, QueueFill
from pqbed.calibrate.tolerances import ALPHA, TOLERANCES
from pqbed.spec.link import PPM, GilbertElliott, Link
from pqbed.spec.link_end_shape import queue_limit, shape_direction
from pqbed.spec.run_options import Clock
from pqbed.spec.tcp import Tcp
from support.units import MBIT, MS

PLAIN = Link(rtt_ns=40 * MS, bandwidth_bps=MBIT, queue_packets=100)
QUEUES = StageQueues(bottleneck=lambda: (0, 0), whole=lambda: (0, 0))


def probe(link: Link, *, routed: bool = False, clock: Clock = "virtual") -> DirectionProbe:
    shape = shape_direction(link, Tcp(), "server", 1)
    asked = RequestedDirection(shape=shape, limit=queue_limit(link, Tcp(), "server"), clock=clock)
    nobody: Any = None
    return DirectionProbe(nobody, nobody, asked, QUEUES if routed else None)


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=290_000), 5.667),
        (GilbertElliott(enter_bad_ppm=20_000, leave_bad_ppm=200_000, loss_in_bad_ppm=500_000), None),
        (
            GilbertElliott(enter_bad_ppm=5_000, leave_bad_ppm=50_000, loss_in_bad_ppm=300_000, loss_in_good_ppm=9_000),
            None,
        ),
        (GilbertElliott(enter_bad_ppm=400_000, leave_bad_ppm=600_000), 1),
        (GilbertElliott(enter_bad_ppm=700_000, leave_bad_ppm=600_000), 1),
        (GilbertElliott(enter_bad_ppm=PPM, leave_bad_ppm=1, loss_in_bad_ppm=0), 1),
    ],
)
def test_bursts_carry_as_much_as_the_variance_of_their_mean_says(chain: GilbertElliott, expected: float | None) -> None:
    """The variance is summed here over the chain's own transitions, lag by lag."""
    enter, leave = chain.enter_bad_ppm / PPM, chain.leave_bad_ppm / PPM
    turn = np.array([[1 - enter, enter], [leave, 1 - leave]])
    share = np.array([leave, enter]) / (enter + leave)
    lost = np.array([chain.loss_in_good_ppm, chain.loss_in_bad_ppm]) / PPM
    mean = float(share @ lost)
    if expected is None:
        lags = (float((share * lost) @ np.linalg.matrix_power(turn, lag) @ lost) - mean**2 for lag in range(1, 2000))
        expected = 1 + 2 * sum(lags) / (mean * (1 - mean))
    assert draws_in_one(chain) == pytest.approx(expected, rel=1e-3)


def shaken(count: int, factor: float) -> tuple[Link, LinkMeasurement, float]:
    """Return a link with jitter, delays spread by `factor` too far, and how far they are then from those asked for."""
    link = Link(rtt_ns=60 * MS, jitter_ns=5 * MS)
    asked = asked_delays(30 * MS, 5 * MS, "uniform")
    middle = quantile(asked, 0.5)
    delays = [middle + factor * (quantile(asked, q / (QUANTILES - 1)) - middle) for q in range(QUANTILES)]
    measured = fake_measurement(link, Tcp())
    down = replace(measured.down, delays_ns=tuple(map(round, delays)), delay_count=count)
    return link, replace(measured, down=down), distance(sorted(map(round, delays)), asked)


def test_a_spread_is_judged_by_chance_and_its_tolerance_together() -> None:
    count = 600
    allowed = critical_distance(count, ALPHA) + TOLERANCES["virtual"].spread_share
    named = {}
    for factor in np.arange(1.0, 1.6, 0.01):
        link, measured, off = shaken(count, float(factor))
        named[off] = {(one.what, one.where) for one in judge(link, Tcp(), measured, "virtual")}
    assert min(named) < 0.02 < allowed < max(named)
    assert all(bool(found) == (off > allowed) for off, found in named.items())
    assert any(allowed - 0.02 < off <= allowed for off in named)
    assert {("jitter", "down")} in named.values()


def test_too_few_delays_are_not_judged() -> None:
    link, measured, _ = shaken(20, 2.0)
    assert {one.what for one in judge(link, Tcp(), measured, "virtual")} >= set()
    few = replace(measured, down=replace(measured.down, delay_count=19))
    assert judge(link, Tcp(), few, "virtual") == ()


def test_jitter_where_none_is_asked_is_half_of_what_four_fifths_of_the_delays_span() -> None:
    measured = fake_measurement(Link(rtt_ns=40 * MS), Tcp())
    delays = tuple(19 * MS + number * 20_000 for number in range(QUANTILES))
    shaken_down = replace(measured.down, delays_ns=delays, delay_count=600)
    (found,) = judge(Link(rtt_ns=40 * MS), Tcp(), replace(measured, down=shaken_down), "virtual")
    assert found.text == "jitter down: asked none, achieved 0.8 ms"
    within = tuple(20 * MS - 10_000 + number * 250 for number in range(QUANTILES))
    calm = replace(measured.down, delays_ns=within, delay_count=600)
    assert judge(Link(rtt_ns=40 * MS), Tcp(), replace(measured, down=calm), "virtual") == ()


def test_a_managed_queue_is_offered_twice_its_rate_for_four_seconds() -> None:
    managed = replace(PLAIN, layout="router", queue_discipline="fq_codel", bandwidth_bps=4 * MBIT, queue_packets=900)
    frames = 4_000_000_000 // (8 * 1514 * 1000 // 4)
    assert probe(managed, routed=True).overload == frames
    assert probe(replace(managed, queue_packets=frames // 2 - 1), routed=True).overload == 0
    assert probe(replace(managed, queue_packets=frames // 2), routed=True).overload == frames
    assert probe(replace(managed, bandwidth_bps=20 * MBIT, queue_packets=9000), routed=True).overload == 0
    assert probe(PLAIN).overload == 0


def test_how_long_a_queue_may_take_to_fill() -> None:
    frame_ns = 8 * 1514 * 1000
    assert probe(PLAIN, routed=True).patient_ns == 50 * frame_ns
    assert probe(PLAIN).patient_ns == max(20 * MS, frame_ns * (10 * 65_500 // 1472) // 2)
    assert probe(replace(PLAIN, rtt_ns=40_000 * MS)).patient_ns == 20_000 * MS


def test_a_burst_takes_half_of_what_the_queue_holds() -> None:
    direction = probe(PLAIN)
    limit = direction.limit
    assert limit is not None
    assert direction.burst == limit // 2
    direction.queue = QueueFill(packets=31, full=True, took_ns=0)
    assert direction.burst == 15
    direction.queue = QueueFill(packets=1, full=True, took_ns=0)
    assert direction.burst == 1
    assert probe(Link(rtt_ns=MS, layout="router"), routed=True).burst == 10_000


def test_losses_are_few_enough_to_wait_for() -> None:
    direction = probe(replace(PLAIN, loss=GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=300_000)))
    direction.queue = QueueFill(packets=20, full=True, took_ns=0)
    assert direction.losses == 20 * 10
    direction.queue = QueueFill(packets=2000, full=True, took_ns=0)
    assert direction.losses == 2000


def arrivals(*delays: int) -> Arrivals:
    numbers = tuple(range(len(delays)))
    return Arrivals(numbers=numbers, sent_ns=numbers, delays_ns=delays)


def test_a_spread_is_what_lies_between_the_outer_tenths() -> None:
    assert _spread_ns(arrivals(*range(100, 0, -1))) == 80
    assert _spread_ns(arrivals(*range(11))) == 8
    assert _spread_ns(arrivals(7, 9)) == 2
    assert _spread_ns(arrivals(7)) == _spread_ns(Arrivals()) == 0


@pytest.mark.parametrize(
    ("numbers", "late"), [((), 0), ((0,), 0), ((0, 1, 2), 0), ((1, 0), 1), ((3, 1, 2, 4, 0), 3), ((2, 2), 0)]
)
def test_late_is_what_came_after_a_later_one(numbers: tuple[int, ...], late: int) -> None:
    assert _late(Arrivals(numbers=numbers, sent_ns=numbers, delays_ns=numbers)) == late


def test_stretching_is_about_zero() -> None:
    assert stretched([1.0, 2.0], 1.5) == [1.5, 3.0]
