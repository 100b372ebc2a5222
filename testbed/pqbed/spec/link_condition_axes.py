"""Axes of what happens on a link during a fetch: managed queues, traces, outages, cross traffic, disturbed packets."""

from functools import partial

from pqbed.spec import value_parsers
from pqbed.spec.axis import Axis, one_direction, plain, share, stored_trace
from pqbed.spec.cross_traffic import format_cross_traffic, parse_cross_traffic
from pqbed.spec.link import QueueDiscipline
from pqbed.spec.link_timeline import format_outage, parse_outage
from pqbed.spec.middlebox import format_middlebox, parse_middlebox
from pqbed.spec.trace_files import format_trace, parse_trace

_link = partial(Axis, part="link")

LINK_CONDITIONS: tuple[Axis, ...] = (
    _link(
        option="queue_discipline",
        field="queue_discipline",
        parse=value_parsers.choice("queue discipline", QueueDiscipline),
        **{**plain("queue_discipline", str), "read": lambda row: row.get("queue_discipline") or "fifo"},
        quiet=True,
        metavar="NAME",
        help="What a router's queue does: fifo, fq_codel, pie or cake.",
    ),
    _link(
        option="queue_discipline_up",
        field="queue_discipline_up",
        **one_direction(value_parsers.choice("queue discipline", QueueDiscipline)),
        **plain("queue_discipline_up", str),
        of="queue_discipline",
        side="up",
        metavar="NAME",
        help="That from client to server; or same.",
    ),
    _link(
        option="trace",
        field="trace",
        parse=parse_trace,
        format=format_trace,
        **stored_trace("trace"),
        quiet=True,
        metavar="FILE",
        help="Rate, delay and loss over time: lte, starlink, or a file.",
    ),
    _link(
        option="trace_up",
        field="trace_up",
        **one_direction(parse_trace, format_trace),
        **stored_trace("trace_up"),
        of="trace",
        side="up",
        metavar="FILE",
        help="That from client to server; or same.",
    ),
    _link(
        option="outage",
        field="outage",
        parse=parse_outage,
        format=format_outage,
        **{
            **plain("outage", str),
            "write": lambda link: (format_outage(link.outage),),
            "read": lambda row: parse_outage(row.get("outage") or "none", bare=False),
        },
        quiet=True,
        metavar="TIMES",
        help="Lose all packets for a while: 1s:3s, or again: 1s:3s:15s.",
    ),
    _link(
        option="cross_traffic",
        field="cross_traffic",
        parse=parse_cross_traffic,
        format=format_cross_traffic,
        **{
            **plain("cross_traffic", str),
            "write": lambda link: (format_cross_traffic(link.cross_traffic),),
            "read": lambda row: parse_cross_traffic(row.get("cross_traffic") or "none", bare=False),
        },
        quiet=True,
        joined_by="+",
        metavar="FLOWS",
        help="Flows beside the fetch: down:1, up:2:bbr, down:udp:200kbit.",
    ),
    _link(
        option="middlebox",
        field="middlebox",
        parse=parse_middlebox,
        format=format_middlebox,
        **{
            **plain("middlebox", str),
            "write": lambda link: (format_middlebox(link.middlebox),),
            "read": lambda row: parse_middlebox(row.get("middlebox") or "none", bare=False),
        },
        quiet=True,
        metavar="KIND",
        help="Loses ClientHellos: hello-tail, hello-above:1400.",
    ),
    _link(
        option="reorder",
        field="reorder_ppm",
        **share("reorder_ppm"),
        metavar="%",
        help="Packets that are not delayed, and overtake others, in percent.",
    ),
    _link(
        option="duplicate",
        field="duplicate_ppm",
        **share("duplicate_ppm"),
        metavar="%",
        help="Packets that come twice, in percent.",
    ),
    _link(
        option="corrupt",
        field="corrupt_ppm",
        **share("corrupt_ppm"),
        metavar="%",
        help="Packets in which a bit is flipped, in percent.",
    ),
)
