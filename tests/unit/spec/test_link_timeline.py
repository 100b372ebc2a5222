import pytest

from pqbed.errors import SpecError
from pqbed.spec.link import Link, RandomLoss
from pqbed.spec.link_end_shape import IN_ORDER_BPS, at_time, shape_end, shape_stage
from pqbed.spec.link_timeline import (
    LinkTrace,
    Outage,
    Timeline,
    TraceStep,
    draw_offset,
    format_outage,
    parse_outage,
)
from pqbed.spec.steady_link import fastest_link, steady_link
from pqbed.spec.tcp import Tcp
from support.units import MBIT, MS

SECOND = 1000 * MS
TRACE = LinkTrace(
    name="two",
    steps=(
        TraceStep(at_ns=0, rate_bps=MBIT, delay_ns=30 * MS),
        TraceStep(at_ns=SECOND, rate_bps=2 * MBIT, loss_ppm=10_000),
    ),
    period_ns=3 * SECOND,
)


@pytest.mark.parametrize("text", ["1s:3s", "1s:3s:15s", "0s:500ms", "none"])
def test_an_outage_is_read_and_written(text: str) -> None:
    assert format_outage(parse_outage(text, bare=False)) == text


@pytest.mark.parametrize("text", ["1s", "1s:0s", "1s:3s:2s", "1:2:3:4", "x:1s"])
def test_what_is_no_outage_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        parse_outage(text, bare=True)


def test_an_outage_begins_ends_and_comes_again() -> None:
    outage = Outage(at_ns=SECOND, for_ns=3 * SECOND, every_ns=15 * SECOND)
    changes, now = [], 0
    for _ in range(4):
        now = outage.next_change_ns(now) or 0
        changes.append((now // SECOND, outage.holds(now)))
    assert changes == [(1, True), (4, False), (16, True), (19, False)]
    once = Outage(at_ns=0, for_ns=SECOND)
    assert (once.holds(0), once.holds(SECOND), once.next_change_ns(SECOND)) == (True, False, None)


def test_a_trace_is_repeated_from_its_offset() -> None:
    timeline = Timeline(trace=TRACE, offset_ns=2 * SECOND)
    assert timeline.step(0) == TRACE.steps[1]
    assert timeline.next_change_ns(0) == SECOND
    assert timeline.step(SECOND) == TRACE.steps[0]
    assert timeline.next_change_ns(SECOND) == 2 * SECOND


def test_the_offset_follows_the_seed_and_is_the_same_in_both_directions() -> None:
    link = Link(rtt_ns=100 * MS, bandwidth_bps=MBIT, layout="router", trace=TRACE)
    offsets = {
        shape.timeline.offset_ns
        for shape in (shape_stage(link, Tcp(), stage, 7) for stage in ("up-rate", "up-delay", "down-delay"))
        if shape.timeline is not None
    }
    assert offsets == {draw_offset(7, TRACE)}
    assert len({draw_offset(seed, TRACE) for seed in range(50)}) > 40


def test_rates_are_the_bottleneck_s_and_delay_and_loss_those_of_the_line_behind_it() -> None:
    link = Link(rtt_ns=100 * MS, layout="router", trace=TRACE, outage=Outage(at_ns=0, for_ns=1))
    offset_ns = draw_offset(1, TRACE)
    first, second = (-offset_ns % TRACE.period_ns, SECOND - offset_ns % TRACE.period_ns + TRACE.period_ns)
    rate, line = (shape_stage(link, Tcp(), stage, 1) for stage in ("down-rate", "down-delay"))
    assert [at_time(rate, at_ns).rate_bps for at_ns in (first, second)] == [MBIT, 2 * MBIT]
    assert at_time(rate, first).delay_ns == 0
    assert [at_time(line, at_ns).delay_ns for at_ns in (first, second)] == [30 * MS, 50 * MS]
    assert at_time(line, second).loss == RandomLoss(probability_ppm=10_000)
    assert at_time(line, 0).loss == RandomLoss(probability_ppm=1_000_000)
    assert at_time(rate, 0).loss == RandomLoss()


def test_a_link_that_changes_keeps_its_order_without_a_rate() -> None:
    link = Link(rtt_ns=100 * MS, outage=Outage(at_ns=SECOND, for_ns=SECOND))
    assert at_time(shape_end(link, Tcp(), "server", 1), 0).rate_bps == IN_ORDER_BPS


def test_floors_are_those_of_the_fastest_part() -> None:
    link = Link(rtt_ns=100 * MS, bandwidth_bps=MBIT // 2, trace=TRACE, layout="router")
    fastest = fastest_link(link)
    assert (fastest.rtt_ns, fastest.bandwidth_bps, fastest.trace) == (60 * MS, 2 * MBIT, None)
    assert steady_link(link) == Link(rtt_ns=100 * MS, bandwidth_bps=MBIT // 2, layout="router")
