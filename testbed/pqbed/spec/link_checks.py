"""What the values of one link cannot mean together, whatever it is set by: a sweep, `up`, `link set`."""

from pqbed.errors import SpecError
from pqbed.spec.link import Layout, Link, PlainLimit, QueueTime
from pqbed.spec.link_sides import SIDES, Side, discipline_of, has_rates, nominal_rate, queue_of, rate_of, trace_of
from pqbed.spec.link_timeline import LinkTrace
from pqbed.spec.path_mtu import format_path_mtu
from pqbed.spec.value_parsers import format_queue


def check_link(link: Link, mtu: int) -> None:
    """Raise SpecError if packets of `link` would not be lost as it says; `mtu` is the smallest of its ends."""
    if link.drop and link.segmentation != "wire":
        raise SpecError(
            f"--drop counts packets as they are on the wire, and with --segmentation {link.segmentation} TCP sends "
            "larger ones",
            "leave out --segmentation, or --drop",
        )
    if link.path_mtu is not None:
        _check_path_mtu(link, mtu)
    if link.cross_traffic is not None and (link.drop or link.outage):
        flag, counts = ("--drop", "packets") if link.drop else ("--outage", "from the start")
        raise SpecError(
            f"{flag} counts {counts} of a fetch, and --cross-traffic has started before",
            f"leave out {flag}, or --cross-traffic",
        )
    if link.middlebox is not None and link.segmentation != "wire":
        raise SpecError(
            f"--middlebox looks at segments as they are on the wire, and with --segmentation {link.segmentation} TCP "
            "sends larger ones",
            "leave out --segmentation, or --middlebox",
        )
    for side in SIDES:
        _check_queue(link, side)


# The one in which datagrams leave the sender's socket buffer, and are segmented, before they meet the link.
QUIC_LAYOUT: Layout = "router"


def check_quic_link(link: Link) -> None:
    """Raise SpecError if `link` would treat datagrams otherwise than a network does (dd-034)."""
    if link.layout != QUIC_LAYOUT:
        raise SpecError(
            f"--http 3 takes --layout router: in the layout {link.layout} datagrams on the wire fill the sender's own "
            "socket buffer, and those that it sends at once are one packet",
            "give --layout router, or leave out --layout",
        )
    if link.segmentation != "wire":
        raise SpecError(
            f"--http 3 takes --segmentation wire: with {link.segmentation} datagrams that are sent at once are one "
            "packet",
            "leave out --segmentation",
        )


def _check_path_mtu(link: Link, mtu: int) -> None:
    """Refuse a path that takes all that its ends send, and to lose packets that are not those of the wire."""
    if link.path_mtu is not None and link.path_mtu.size_bytes >= mtu:
        raise SpecError(
            f"--path-mtu {format_path_mtu(link.path_mtu)} is not below --mtu {mtu}: nothing is too large",
            "give a smaller --path-mtu, or a larger --mtu",
        )
    if link.path_mtu is not None and link.path_mtu.handling == "told" and link.layout != "router":
        raise SpecError(
            f"--path-mtu {format_path_mtu(link.path_mtu)} takes a router that tells, and this link has none",
            "give --layout router",
        )
    if link.segmentation != "wire":
        raise SpecError(
            f"--path-mtu is about packets on the wire, and with --segmentation {link.segmentation} TCP sends larger "
            "ones",
            "leave out --segmentation, or --path-mtu",
        )


def _check_queue(link: Link, side: Side) -> None:
    """Refuse a queue whose size depends on a rate that is not there, and one that no end of a link can have."""
    suffix = "-up" if side == "client" else ""
    discipline, queue = discipline_of(link, side), queue_of(link, side)
    trace = trace_of(link, side)
    if has_rates(trace) and trace is not None:
        _check_rates(link, side, trace)
    if isinstance(queue, QueueTime) and nominal_rate(link, side) is None:
        raise SpecError(
            f"--queue{suffix} {format_queue(queue)} is what a rate sends in that time, and the link has no rate",
            "give a --bandwidth, or a queue in packets or bytes",
        )
    if discipline != "fifo" and (link.layout != "router" or nominal_rate(link, side) is None):
        missing = "--layout router" if link.layout != "router" else "a --bandwidth"
        raise SpecError(
            f"--queue-discipline {discipline} stands at the bottleneck of a router, and this link has none",
            f"give {missing}, or leave out --queue-discipline",
        )
    if discipline != "fifo" and isinstance(queue, PlainLimit):
        raise SpecError(
            f"--queue {format_queue(queue)} is netem's own limit, and {discipline} is no netem",
            "give the queue in packets, bytes or milliseconds",
        )


def _check_rates(link: Link, side: Side, trace: LinkTrace) -> None:
    """Refuse rates that change where packets that wait would keep the old one, and steps without any rate."""
    flag = "--trace-up" if side == "client" and link.trace_up is not None else "--trace"
    if link.layout != "router":
        raise SpecError(
            f"{flag} {trace.name} changes the rate, and netem at the ends gives packets their time when they come",
            "give --layout router",
        )
    if rate_of(link, side) is None and not all(step.rate_bps for step in trace.steps):
        raise SpecError(
            f"{flag} {trace.name} has parts without a rate, and so has the link",
            "give every row a rate, or the link a --bandwidth",
        )
    if isinstance(queue_of(link, side), PlainLimit):
        raise SpecError(
            f"--queue {format_queue(queue_of(link, side))} is netem's own limit, and not for a rate that changes",
            "give the queue in packets, bytes or milliseconds",
        )
