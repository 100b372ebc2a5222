"""How many datagrams a link is measured with, and how long that takes: exact numbers, by hand."""

from dataclasses import replace

import pytest

from pqbed.calibrate.measurement import SMALL_FRAME_BYTES, UDP_IP_BYTES
from pqbed.calibrate.measurement_schedule import Schedule, real_seconds, schedule
from pqbed.spec.link import GilbertElliott, Link, RandomLoss
from pqbed.spec.link_end_shape import JITTER_REACH, EndShape, shape_direction
from pqbed.spec.run_options import Clock
from pqbed.spec.tcp import Tcp
from support.units import MBIT, MS

PLAIN = Link(rtt_ns=40 * MS, bandwidth_bps=MBIT)
LOSSY = RandomLoss(probability_ppm=10_000)


def shape(link: Link, side: str = "server") -> EndShape:
    return shape_direction(link, Tcp(), "client" if side == "client" else "server", 1)


def test_frames_are_those_of_the_wire() -> None:
    assert (UDP_IP_BYTES, SMALL_FRAME_BYTES) == (28, 58)


def test_a_link_without_chance() -> None:
    assert schedule(shape(PLAIN), "virtual") == Schedule(
        delay_ns=20 * MS,
        alone=40,
        gap_ns=4 * 464_000 + MS,
        again=13,
        losses=400,
        small_ns=464_000,
        bulk=100,
        bulk_payload_bytes=1472,
        bulk_frame_ns=12_112_000,
    )
    assert schedule(shape(PLAIN), "virtual").wait_ns == 240 * MS


@pytest.mark.parametrize(("clock", "alone", "again"), [("virtual", 600, 100), ("real", 276, 25)])
def test_jitter_is_measured_with_more_and_waits_for_what_it_reaches(clock: Clock, alone: int, again: int) -> None:
    plan = schedule(shape(replace(PLAIN, jitter_ns=MS)), clock)
    assert plan.delay_ns == 20 * MS + JITTER_REACH * MS
    assert plan.gap_ns == 2 * JITTER_REACH * MS + 4 * 464_000 + MS
    assert (plan.alone, plan.again) == (alone, again)


@pytest.mark.parametrize(
    ("loss", "losses"),
    [
        (RandomLoss(), 400),
        (RandomLoss(probability_ppm=500_000), 400),
        (LOSSY, 1000),
        (RandomLoss(probability_ppm=100), 2000),
        (GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=300_000), 2000),
    ],
)
def test_loss_is_measured_with_ten_times_its_inverse(loss: RandomLoss | GilbertElliott, losses: int) -> None:
    assert schedule(shape(replace(PLAIN, loss=loss)), "virtual").losses == losses


def test_without_a_rate_nothing_takes_time() -> None:
    plan = schedule(shape(Link(rtt_ns=40 * MS)), "real")
    assert (plan.small_ns, plan.bulk_frame_ns, plan.gap_ns, plan.bulk, plan.losses) == (0, 0, MS, 200, 400)


def test_at_least_three_of_everything() -> None:
    plan = schedule(shape(replace(PLAIN, bandwidth_bps=1_000)), "real")
    assert (plan.alone, plan.again, plan.losses, plan.bulk) == (3, 3, 3, 3)


def seconds(up: Link, down: Link) -> float:
    return real_seconds(shape(up, "client"), shape(down))


def test_the_time_on_a_real_clock_is_the_sum_of_its_parts() -> None:
    plan = schedule(shape(PLAIN), "real")
    parts_ns = 3 * (50 * MS + 20 * MS) + (40 + 2 * 13) * plan.gap_ns + 2 * plan.losses * 464_000
    parts_ns += plan.bulk * plan.bulk_frame_ns
    assert seconds(PLAIN, PLAIN) == pytest.approx(2 * parts_ns / 1e9)


@pytest.mark.parametrize("sides", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("loss", [LOSSY, GilbertElliott(enter_bad_ppm=1, leave_bad_ppm=1)])
def test_loss_on_either_side_is_waited_for_in_two_more_trains(
    sides: tuple[bool, bool], loss: RandomLoss | GilbertElliott
) -> None:
    lossy = replace(PLAIN, loss=loss)
    up, down = (lossy if side else PLAIN for side in sides)
    plans = [schedule(shape(up, "client"), "real"), schedule(shape(down), "real")]
    parts_ns = sum(
        5 * (50 * MS + plan.delay_ns + plan.wait_ns)
        + (plan.alone + 2 * plan.again) * plan.gap_ns
        + 2 * plan.losses * plan.small_ns
        + plan.bulk * plan.bulk_frame_ns
        for plan in plans
    )
    assert seconds(up, down) == pytest.approx(parts_ns / 1e9)


def test_jitter_takes_two_more_trains_and_no_waiting() -> None:
    shaken = replace(PLAIN, jitter_ns=MS)
    plan = schedule(shape(shaken), "real")
    parts_ns = 5 * (50 * MS + plan.delay_ns) + (plan.alone + 2 * plan.again) * plan.gap_ns
    parts_ns += 2 * plan.losses * plan.small_ns + plan.bulk * plan.bulk_frame_ns
    assert seconds(shaken, shaken) == pytest.approx(2 * parts_ns / 1e9)
