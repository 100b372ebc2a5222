"""Everything a sweep can vary, in one table: flags, sweep files, grid, stored columns and labels are derived from it.

A new axis is a field on `Sweep`, one on `Link`, `Tcp` or `Workload`, an entry here, and the code where it takes effect.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from pqbed.spec import value_parsers
from pqbed.spec.axis import Axis, Part, loss_model, one_direction, plain, queue_size
from pqbed.spec.connection import format_connection, parse_connection
from pqbed.spec.drop_list import format_drops, parse_drops
from pqbed.spec.link import (
    Distribution,
    Layout,
    Link,
    Segmentation,
    down_queue,
    queue_fields,
    queue_up_fields,
    up_queue,
)
from pqbed.spec.link_condition_axes import LINK_CONDITIONS
from pqbed.spec.path_mtu import format_path_mtu, parse_path_mtu
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from pqbed.units import format_duration, format_rate, format_size

__all__ = ["AXES", "PARTS", "Axis", "axes_shown", "one_sided"]

PARTS: dict[type[Any], Part] = {Link: "link", Tcp: "tcp", Workload: "workload"}


def _own_initcwnd(server: int, client: int | None) -> int | None:
    return None if client == server else client


_link, _tcp, _workload = (partial(Axis, part=part) for part in PARTS.values())

# In the order of the stored columns, so new ones come last. Labels take the same order; those with `of` go with it.
_TABLE: tuple[Axis, ...] = (
    # Of links with a name. The name is no condition: cells are told apart, and compared, by the values it stands for.
    _link(
        option="link",
        field="link",
        parse=value_parsers.parse_link_name,
        format=value_parsers.format_link_name,
        **{**plain("name", str), "columns": {}, "write": lambda _: (), "read": lambda row: row.get("link_name")},
        quiet=True,
        metavar="NAME",
        help="Named links (`pqbed links`); other flags of this group apply to each.",
        help_one="Named link (`pqbed links`).",
    ),
    _link(
        option="rtt",
        field="rtt_ns",
        parse=value_parsers.parse_rtt,
        format=format_duration,
        **plain("rtt_ns"),
        main=True,
        metavar="MS",
        help="Round-trip times; a plain number is ms.",
        help_one="Round-trip time; a plain number is ms.",
    ),
    _link(
        option="bandwidth",
        field="bandwidth_bps",
        parse=value_parsers.parse_bandwidth,
        format=format_rate,
        **plain("bandwidth_bps"),
        main=True,
        metavar="MBIT",
        help="Rates; a plain number is Mbit/s; or none.",
        help_one="Rate; a plain number is Mbit/s; or none.",
    ),
    _link(
        option="loss",
        field="loss",
        parse=value_parsers.parse_loss,
        format=value_parsers.format_loss,
        **loss_model("loss"),
        main=True,
        metavar="%",
        help="Loss per direction, in percent; or ge:P/R[/H[/K]] for bursts.",
    ),
    _link(
        option="jitter",
        field="jitter_ns",
        parse=value_parsers.parse_rtt,
        format=format_duration,
        **plain("jitter_ns"),
        quiet=True,
        metavar="MS",
        help="Jitter per direction; a plain number is ms.",
    ),
    _link(
        option="distribution",
        field="distribution",
        parse=value_parsers.choice("distribution", Distribution),
        **plain("distribution", str),
        needs="jitter",
        metavar="NAME",
        help="Jitter distribution: uniform, normal, pareto or paretonormal.",
    ),
    _link(
        option="queue",
        field="queue_packets",
        parse=value_parsers.parse_queue,
        format=value_parsers.format_queue,
        assign=lambda queue, _: queue_fields(queue),
        get=down_queue,
        **queue_size(""),
        metavar="N",
        help="Bottleneck queue: packets, 50ms, 64KiB; or limit:N, netem's own.",
    ),
    _link(
        option="segmentation",
        field="segmentation",
        parse=value_parsers.choice("segmentation", Segmentation),
        **plain("segmentation", str),
        metavar="NAME",
        help="Segment offload: wire (none), offload-off or host.",
    ),
    _link(
        option="layout",
        field="layout",
        parse=value_parsers.choice("layout", Layout),
        **plain("layout", str),
        quiet=True,
        metavar="NAME",
        help="Where netem sits: ends (the senders) or router (between them).",
    ),
    _tcp(
        option="initcwnd",
        field="initcwnd",
        parse=value_parsers.count(1, value_parsers.LARGEST_INITCWND),
        **{
            **plain("initcwnd_server"),
            "assign": lambda segments, _: {"initcwnd_server": segments, "initcwnd_client": segments},
        },
        quiet=True,
        metavar="N",
        help="Initial congestion windows, in segments.",
        help_one="Initial congestion window, in segments.",
    ),
    _tcp(
        option="initcwnd_client",
        field="initcwnd_client",
        **one_direction(value_parsers.count(1, value_parsers.LARGEST_INITCWND)),
        assign=lambda segments, known: {"initcwnd_client": segments or known["initcwnd_server"]},
        get=lambda tcp: _own_initcwnd(tcp.initcwnd_server, tcp.initcwnd_client),
        columns={"initcwnd_client": int},
        write=lambda tcp: (tcp.initcwnd_client,),
        read=lambda row: _own_initcwnd(row["initcwnd_server"], row["initcwnd_client"]),
        of="initcwnd",
        side="client",
        metavar="N",
        help="Client's initial window; or same.",
    ),
    _tcp(
        option="initrwnd",
        field="initrwnd",
        parse=value_parsers.count(0, value_parsers.LARGEST_INITCWND),
        **plain("initrwnd"),
        quiet=True,
        metavar="N",
        help="Initial receive window in segments; 0: the kernel's own.",
    ),
    _tcp(
        option="congestion_control",
        field="congestion_control",
        parse=value_parsers.parse_congestion_control,
        **{
            **plain("congestion_control", str),
            "assign": lambda name, _: {"congestion_control": name, "congestion_control_client": None},
        },
        quiet=True,
        metavar="NAME",
        help="Congestion control by its kernel name: cubic, bbr, ...",
    ),
    _tcp(
        option="mtu",
        field="mtu",
        parse=value_parsers.count(576, 9216),
        **plain("mtu"),
        quiet=True,
        metavar="N",
        help="MTU of the link in bytes.",
    ),
    _workload(
        option="http",
        field="http",
        parse=value_parsers.parse_http,
        **plain("http", str),
        quiet=True,
        metavar="N",
        help="HTTP versions: 1.1, 2, 3 (3 is over QUIC).",
    ),
    _workload(
        option="size",
        field="size_bytes",
        parse=value_parsers.parse_body_size,
        format=format_size,
        **plain("size_bytes"),
        labelled=False,
        metavar="KIB",
        help="Response sizes; a plain number is KiB.",
        help_one="Response size; a plain number is KiB.",
    ),
    _link(
        option="bandwidth_up",
        field="bandwidth_up_bps",
        **one_direction(value_parsers.parse_bandwidth_up, value_parsers.format_bandwidth_up),
        **plain("bandwidth_up_bps"),
        of="bandwidth",
        side="up",
        metavar="MBIT",
        help="Rate from client to server; or same.",
    ),
    _link(
        option="loss_up",
        field="loss_up",
        **one_direction(value_parsers.parse_loss, value_parsers.format_loss),
        **loss_model("loss_up"),
        of="loss",
        side="up",
        metavar="%",
        help="Loss from client to server; or same.",
    ),
    _tcp(
        option="congestion_control_client",
        field="congestion_control_client",
        **one_direction(value_parsers.parse_congestion_control),
        **plain("congestion_control_client", str),
        of="congestion_control",
        side="client",
        metavar="NAME",
        help="Client's congestion control; or same.",
    ),
    _link(
        option="drop",
        field="drop",
        parse=parse_drops,
        format=format_drops,
        **{
            **plain("drop", str),
            "write": lambda link: (format_drops(link.drop),),
            "read": lambda row: parse_drops(row.get("drop") or "none", bare=False),
        },
        quiet=True,
        joined_by="+",
        metavar="LIST",
        help="Packets lost by number: up:2, down:3-5, up:1+down:3.",
    ),
    _link(
        option="delay_up",
        field="delay_up_ns",
        **one_direction(value_parsers.parse_rtt, format_duration),
        **plain("delay_up_ns"),
        of="rtt",
        side="up",
        metavar="MS",
        help="Part of the RTT from client to server; or same: half.",
    ),
    _link(
        option="jitter_up",
        field="jitter_up_ns",
        **one_direction(value_parsers.parse_rtt, format_duration),
        **plain("jitter_up_ns"),
        of="jitter",
        side="up",
        metavar="MS",
        help="Jitter from client to server; or same.",
    ),
    _link(
        option="distribution_up",
        field="distribution_up",
        **one_direction(value_parsers.choice("distribution", Distribution)),
        **plain("distribution_up", str),
        of="distribution",
        side="up",
        metavar="NAME",
        help="Its distribution from client to server; or same.",
    ),
    _link(
        option="queue_up",
        field="queue_up_packets",
        **one_direction(value_parsers.parse_queue, value_parsers.format_queue),
        assign=lambda queue, _: queue_up_fields(queue),
        get=up_queue,
        **queue_size("_up"),
        of="queue",
        side="up",
        metavar="N",
        help="Queue from client to server; or same.",
    ),
    _link(
        option="path_mtu",
        field="path_mtu",
        parse=parse_path_mtu,
        format=format_path_mtu,
        **{
            **plain("path_mtu", str),
            "write": lambda link: (format_path_mtu(link.path_mtu),),
            "read": lambda row: None if row.get("path_mtu") is None else parse_path_mtu(row["path_mtu"], bare=False),
        },
        quiet=True,
        metavar="N",
        help="A smaller MTU on the way: 1400:told, :swallowed or :clamped.",
    ),
    *LINK_CONDITIONS,
    _tcp(
        option="ecn",
        field="ecn",
        parse=value_parsers.parse_switch,
        format=value_parsers.format_switch,
        **{**plain("ecn", bool), "read": lambda row: bool(row.get("ecn"))},
        quiet=True,
        metavar="on|off",
        help="Ask for ECN, so that queues mark packets: on or off.",
    ),
    _workload(
        option="connection",
        field="connection",
        parse=parse_connection,
        format=format_connection,
        **{
            **plain("connection", str),
            "write": lambda workload: (format_connection(workload.connection),),
            "read": lambda row: parse_connection(row.get("connection") or "full", bare=False),
        },
        quiet=True,
        metavar="KIND",
        help="Connections: full, resumed, early, reused[:IDLE].",
    ),
    _tcp(
        option="fast_open",
        field="fast_open",
        parse=value_parsers.parse_switch,
        format=value_parsers.format_switch,
        **{**plain("fast_open", bool), "read": lambda row: bool(row.get("fast_open"))},
        quiet=True,
        metavar="on|off",
        help="Data in the client's SYN (TCP Fast Open): on or off.",
    ),
)

# By option, in the order of the stored columns.
AXES: Mapping[str, Axis] = {axis.option: axis for axis in _TABLE}
_ONE_SIDED = {option: tuple(axis for axis in _TABLE if axis.of == option) for option in AXES}


def axes_shown() -> tuple[Axis, ...]:
    """Return the axes in the order for people: by part, those of one side or direction last."""
    order = list(AXES)
    parts = list(PARTS.values())
    return tuple(
        sorted(
            AXES.values(),
            key=lambda axis: (parts.index(axis.part), order.index(axis.of or axis.option), bool(axis.of)),
        )
    )


def one_sided(axis: Axis) -> tuple[Axis, ...]:
    """Return the axes that say the same of one side or direction alone."""
    return _ONE_SIDED[axis.option]
