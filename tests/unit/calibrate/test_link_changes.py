from dataclasses import replace

import pytest

from pqbed.calibrate.link_changes import DATAGRAMS, LONGEST_WATCH_NS, compare, watch_ns
from pqbed.calibrate.prober import Arrivals
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import EndShape, at_time, shape_direction
from pqbed.spec.link_timeline import LinkTrace, Outage, TraceStep
from pqbed.spec.tcp import Tcp
from support.units import MS

GAP_NS = 10 * MS
START_NS = 10**18
OUTAGE = Outage(at_ns=500 * MS, for_ns=300 * MS)
TRACE = LinkTrace(
    name="two",
    steps=(TraceStep(at_ns=0, delay_ns=50 * MS), TraceStep(at_ns=1000 * MS, delay_ns=20 * MS)),
    period_ns=2000 * MS,
)
LINK = Link(rtt_ns=80 * MS, outage=OUTAGE, trace=TRACE)


def shape(link: Link = LINK) -> EndShape:
    return shape_direction(link, Tcp(), "server", 1)


def arrivals(of: EndShape, late_ns: int = 0) -> Arrivals:
    """What a link that is shaped so does with a train: in order, and lost in an outage."""
    numbers, sent, delays, latest_ns = [], [], [], 0
    for number in range(DATAGRAMS):
        at_ns = number * GAP_NS
        if of.timeline is not None and of.timeline.is_out(at_ns):
            continue
        latest_ns = max(latest_ns, at_ns + at_time(of, at_ns).delay_ns)
        numbers.append(number)
        sent.append(START_NS + at_ns)
        delays.append(latest_ns - at_ns + late_ns)
    return Arrivals(numbers=tuple(numbers), sent_ns=tuple(sent), delays_ns=tuple(delays))


def test_a_link_that_changes_as_asked_has_no_faults() -> None:
    seen = compare(shape(), arrivals(shape()), START_NS, GAP_NS, "virtual")
    assert (seen.mistimed, seen.mislaid) == (0, 0)
    assert seen.compared > 0.9 * DATAGRAMS


@pytest.mark.parametrize(
    "outage",
    [None, replace(OUTAGE, for_ns=200 * MS), replace(OUTAGE, at_ns=600 * MS), replace(OUTAGE, for_ns=400 * MS)],
)
def test_another_outage_is_seen(outage: Outage | None) -> None:
    seen = compare(shape(), arrivals(shape(replace(LINK, outage=outage))), START_NS, GAP_NS, "virtual")
    assert seen.mislaid > 0.02 * seen.compared
    assert seen.mistimed == 0


def test_another_trace_or_lateness_is_seen() -> None:
    other = replace(TRACE, steps=(TRACE.steps[0], replace(TRACE.steps[1], delay_ns=21 * MS)))
    seen = compare(shape(), arrivals(shape(replace(LINK, trace=other))), START_NS, GAP_NS, "virtual")
    assert (seen.mistimed > 0.2 * seen.compared, seen.mislaid) == (True, 0)
    late = compare(shape(), arrivals(shape(), late_ns=MS), START_NS, GAP_NS, "virtual")
    assert (late.mistimed > 0.8 * late.compared, late.mislaid) == (True, 0)
    assert compare(shape(), arrivals(shape(), late_ns=MS), START_NS, GAP_NS, "real").mistimed == 0


def test_a_watch_is_as_long_as_the_changes_and_no_longer_than_some_seconds() -> None:
    assert watch_ns(shape(Link(rtt_ns=MS))) == 0
    assert watch_ns(shape(replace(LINK, outage=None))) == TRACE.period_ns
    assert watch_ns(shape(replace(LINK, trace=None))) == 1100 * MS
    assert watch_ns(shape(replace(LINK, trace=replace(TRACE, period_ns=10**12)))) == LONGEST_WATCH_NS
