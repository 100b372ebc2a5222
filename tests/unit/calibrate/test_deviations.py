"""Asked against achieved, without any bed: what is measured here is invented, one value at a time."""

from dataclasses import replace
from typing import Any, get_args

import pytest
from scipy.stats import binomtest, kstest, norm

from pqbed.beds.fake_calibration import fake_measurement
from pqbed.calibrate.binomial import proportion_interval
from pqbed.calibrate.delay_spread import asked_delays, critical_distance, distance, nearest_distribution
from pqbed.calibrate.deviations import Deviation, draws_in_one, judge
from pqbed.calibrate.measurement import LinkMeasurement
from pqbed.calibrate.measurement_schedule import schedule
from pqbed.calibrate.tolerances import TOLERANCES
from pqbed.spec.link import Distribution, GilbertElliott, Link, PlainLimit, RandomLoss, queue_fields
from pqbed.spec.link_end_shape import shape_direction
from pqbed.spec.run_options import Clock
from pqbed.spec.tcp import Tcp
from support.sweeps import small_plan
from support.units import MS

LOSSY = RandomLoss(probability_ppm=30_000)
LINK = Link(rtt_ns=40 * MS, bandwidth_bps=2_000_000, loss=LOSSY, jitter_ns=3 * MS, distribution="normal")
LINKS = {
    "full": LINK,
    "plain": Link(rtt_ns=35 * MS),
    "bare": Link(rtt_ns=0),
    "deaf": Link(rtt_ns=35 * MS, loss=RandomLoss(probability_ppm=1_000_000)),
    "bursts": Link(rtt_ns=35 * MS, loss=GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=300_000)),
    "skewed": Link(rtt_ns=60 * MS, jitter_ns=5 * MS, distribution="pareto"),
    "uneven": Link(rtt_ns=35 * MS, bandwidth_bps=10**9, bandwidth_up_bps=0, loss_up=LOSSY),
    "limit": Link(rtt_ns=35 * MS, bandwidth_bps=10**9, **queue_fields(PlainLimit(packets=1000))),
    "router": replace(LINK, layout="router"),
    "super-packets": Link(rtt_ns=35 * MS, segmentation="offload-off"),
}


TCP = Tcp()


def found(
    measured: LinkMeasurement, link: Link = LINK, tcp: Tcp = TCP, clock: Clock = "virtual"
) -> list[tuple[str, str]]:
    return [(one.what, one.where) for one in judge(link, tcp, measured, clock)]


def with_down(**values: Any) -> LinkMeasurement:
    measured = fake_measurement(LINK, Tcp())
    return replace(measured, down=replace(measured.down, **values))


@pytest.mark.parametrize("clock", TOLERANCES)
@pytest.mark.parametrize("name", LINKS)
def test_what_is_as_asked_passes(name: str, clock: Clock) -> None:
    assert found(fake_measurement(LINKS[name], Tcp()), LINKS[name], clock=clock) == []


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"lost": 0}, "loss"),
        ({"lost": 60}, "loss"),
        ({"queue_packets": 900}, "queue"),
        ({"queue_packets": 1100}, "queue"),
        ({"queue_packets": 2012, "queue_full": False}, "queue"),
        ({"reordered": 1}, "reordering"),
        ({"seed_repeats": False}, "seed"),
        ({"bulk_ns": 2 * fake_measurement(LINK, Tcp()).down.bulk_ns}, "rate"),
        ({"bulk_ns": 0}, "rate"),
    ],
)
def test_one_value_has_one_name(values: dict[str, Any], what: str) -> None:
    names = found(with_down(**values))
    assert (what, "down") in names
    # A rate that is not there changes what a datagram itself takes: that alone may be seen in the RTT.
    assert {name for name, _ in names} <= {what, "rtt" if values == {"bulk_ns": 0} else what}


def test_a_delay_is_told_as_the_rtt_with_both_values() -> None:
    measured = fake_measurement(replace(LINK, rtt_ns=80 * MS), Tcp())
    queue = fake_measurement(LINK, Tcp()).down.queue_packets
    ways = {way: replace(getattr(measured, way), queue_packets=queue, queue_full=True) for way in ("up", "down")}
    (wrong,) = judge(LINK, Tcp(), replace(measured, **ways), "virtual")
    assert wrong.text == "rtt: asked 40 ms, achieved 80 ms"


def test_sides_are_told_apart() -> None:
    tcp = Tcp(initcwnd_server=20, initcwnd_client=4, congestion_control="bbr", congestion_control_client="cubic")
    assert found(fake_measurement(LINK, tcp)) == [
        ("initcwnd", "client"),
        ("initcwnd", "server"),
        ("congestion control", "server"),
    ]
    measured = fake_measurement(LINK, Tcp(mtu=9000))
    assert [name for name in found(measured) if name[0] != "queue"] == [("mtu", "client"), ("mtu", "server")]


def test_a_direction_without_any_shaping_is_that_and_nothing_else() -> None:
    bare = fake_measurement(Link(rtt_ns=0), Tcp()).down
    measured = replace(fake_measurement(LINK, Tcp()), down=replace(bare, queue_packets=None, queue_full=False))
    assert found(measured) == [("unshaped", "down")]


def test_what_could_not_be_measured_is_not_judged() -> None:
    measured = fake_measurement(LINK, Tcp())
    nothing = replace(
        measured.server, initcwnd=None, flight_segments=None, flight_frame_bytes=None, congestion_control=""
    )
    unknown = replace(measured.down, queue_packets=None, queue_full=False, delays_ns=(), delay_count=0, bulk_bytes=0)
    assert found(replace(measured, server=nothing, down=unknown)) == []


@pytest.mark.parametrize("asked", ["normal", "uniform", "pareto", "paretonormal"])
@pytest.mark.parametrize("made", ["normal", "uniform", "pareto"])
def test_another_distribution_is_named(asked: Distribution, made: Distribution) -> None:
    link = Link(rtt_ns=60 * MS, jitter_ns=5 * MS, distribution=asked)
    other = replace(link, distribution=made)
    names = {what for what, _ in found(fake_measurement(other, Tcp()), link)}
    assert names == (set() if asked == made else {"distribution"})


def test_the_nearest_distribution_is_itself() -> None:
    for name in get_args(Distribution):
        delays = asked_delays(50 * MS, 2 * MS, name)[::40]
        nearest, distance = nearest_distribution(delays, 50 * MS, 2 * MS)
        assert nearest == name
        assert distance == pytest.approx(0, abs=0.02)


def test_jitter_of_another_size_is_jitter() -> None:
    wrong = judge(LINK, Tcp(), fake_measurement(replace(LINK, jitter_ns=3 * MS // 2), Tcp()), "virtual")
    assert {one.text for one in wrong if one.what != "queue"} == {
        "jitter up: asked 3 ms, achieved 1.5 ms",
        "jitter down: asked 3 ms, achieved 1.5 ms",
    }


def test_the_distance_is_that_of_kolmogorov_and_smirnov() -> None:
    asked = asked_delays(50 * MS, 2 * MS, "uniform")
    drawn = sorted(asked[::37])
    middle = drawn[round((len(drawn) - 1) / 2)] - asked[round((len(asked) - 1) / 2)]
    theirs = kstest([value - middle for value in drawn], asked).statistic
    assert 0 < distance(drawn, asked) <= theirs + 1.5 / len(drawn)
    # Wherever they lie, and of another shape: a uniform and a normal of the same jitter.
    other = asked_delays(80 * MS, 2 * MS, "normal")[::37]
    assert distance(other, asked) == pytest.approx(norm.cdf(-1), abs=0.02)
    assert critical_distance(600, 1e-4) == pytest.approx(0.0908, abs=1e-4)


@pytest.mark.parametrize(("hits", "of"), [(0, 400), (1, 400), (12, 400), (399, 400), (400, 400), (30, 1000)])
@pytest.mark.parametrize("certainty", [0.05, 1e-4])
def test_the_interval_is_that_of_clopper_and_pearson(hits: int, of: int, certainty: float) -> None:
    theirs = binomtest(hits, of).proportion_ci(1 - certainty, "exact")
    assert proportion_interval(hits, of, certainty) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_bursts_say_less_than_single_losses() -> None:
    assert draws_in_one(LOSSY) == 1
    # All lost in the bad state, none in the good one: the chain alone decides, (1 + stays) / (1 - stays).
    burst = GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=290_000)
    assert draws_in_one(burst) == pytest.approx(1.7 / 0.3, rel=1e-3)


def test_a_real_clock_takes_bounded_time() -> None:
    for rate in (10_000, 1_000_000, 1_000_000_000):
        link = replace(LINK, bandwidth_bps=rate)
        plan = schedule(shape_direction(link, Tcp(), "server", 1), "real")
        assert plan.alone * plan.gap_ns <= max(3_000 * MS, 3 * plan.gap_ns)
        assert plan.bulk * plan.bulk_frame_ns <= max(1_000 * MS, 3 * plan.bulk_frame_ns)
        assert plan.losses * plan.small_ns <= max(1_000 * MS, 3 * plan.small_ns)


def test_links_are_calibrated_once_for_all_their_cells() -> None:
    plan = small_plan()
    assert len(plan.links) == len({(cell.link, cell.tcp) for cell in plan.cells.values()})


def test_a_deviation_without_a_question_is_told_alone() -> None:
    assert Deviation(what="link", asked="", achieved="refused").text == "link: refused"
