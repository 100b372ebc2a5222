"""Links that change, as they are without their changes, and as fast as they can be."""

from dataclasses import replace

from pqbed.spec.link import Link
from pqbed.spec.link_sides import SIDES, Side, delay_of, nominal_rate, trace_of


def fastest_link(link: Link) -> Link:
    """Return a link that never changes and is nowhere slower than `link`: floors are counted on it."""
    if link.reorder_ppm:  # netem delays these packets by nothing at all
        return replace(steady_link(link), rtt_ns=0, delay_up_ns=None, bandwidth_bps=None, bandwidth_up_bps=None)
    if link.trace is None and link.trace_up is None:
        return link
    delays = {side: _shortest_delay_ns(link, side) for side in SIDES}
    return replace(
        steady_link(link),
        rtt_ns=sum(delays.values()),
        delay_up_ns=delays["client"],
        bandwidth_bps=_highest_rate(link, "server"),
        bandwidth_up_bps=_highest_rate(link, "client") or 0,
    )


def steady_link(link: Link) -> Link:
    """Return `link` without its changes, and what happens to single packets: what calibration measures first."""
    return replace(
        link,
        trace=None,
        trace_up=None,
        outage=None,
        cross_traffic=None,
        middlebox=None,
        reorder_ppm=0,
        duplicate_ppm=0,
        corrupt_ppm=0,
    )


def _shortest_delay_ns(link: Link, side: Side) -> int:
    trace, own_ns = trace_of(link, side), delay_of(link, side)
    return own_ns if trace is None else min(own_ns if step.delay_ns is None else step.delay_ns for step in trace.steps)


def _highest_rate(link: Link, side: Side) -> int | None:
    trace, own = trace_of(link, side), nominal_rate(link, side)
    return own if trace is None or own is None else max(own, *(step.rate_bps or 0 for step in trace.steps))
