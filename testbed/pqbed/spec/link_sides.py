"""What a link and its TCP settings are for one side: the direction in which that side sends. Pure.

Times in ns, rates in bit/s, packets in bytes with their IP header.
"""

from typing import Literal

from pqbed.spec.link import (
    Distribution,
    Link,
    Loss,
    Queue,
    QueueDiscipline,
    down_queue,
    up_queue,
)
from pqbed.spec.link_timeline import LinkTrace
from pqbed.spec.path_mtu import Handling
from pqbed.spec.tcp import Tcp

Side = Literal["client", "server"]
SIDES: tuple[Side, ...] = ("client", "server")


def delay_of(link: Link, side: Side) -> int:
    """Return the one-way delay of what `side` sends, ns. The client's includes the odd nanosecond of the RTT."""
    up_ns = link.rtt_ns // 2 + link.rtt_ns % 2 if link.delay_up_ns is None else link.delay_up_ns
    return up_ns if side == "client" else link.rtt_ns - up_ns


def jitter_of(link: Link, side: Side) -> int:
    """Return the jitter of what `side` sends, ns."""
    return link.jitter_ns if side == "server" or link.jitter_up_ns is None else link.jitter_up_ns


def distribution_of(link: Link, side: Side) -> Distribution:
    """Return the distribution of that jitter."""
    return link.distribution if side == "server" or link.distribution_up is None else link.distribution_up


def rate_of(link: Link, side: Side) -> int | None:
    """Return the rate at which `side` can send, None without a limit."""
    if side == "server" or link.bandwidth_up_bps is None:
        return link.bandwidth_bps
    return link.bandwidth_up_bps or None


def nominal_rate(link: Link, side: Side) -> int | None:
    """Return the rate without a trace, or the highest of a trace on a link without; None without a limit."""
    own, trace = rate_of(link, side), trace_of(link, side)
    if own is not None or trace is None:
        return own
    return max((step.rate_bps or 0 for step in trace.steps), default=0) or None


def loss_of(link: Link, side: Side) -> Loss:
    """Return the loss among what `side` sends."""
    return link.loss if side == "server" or link.loss_up is None else link.loss_up


def queue_of(link: Link, side: Side) -> Queue:
    """Return the queue of what `side` sends."""
    own = up_queue(link) if side == "client" else None
    return down_queue(link) if own is None else own


def discipline_of(link: Link, side: Side) -> QueueDiscipline:
    """Return what becomes of packets of `side` that wait at the bottleneck."""
    if side == "server" or link.queue_discipline_up is None:
        return link.queue_discipline
    return link.queue_discipline_up


def trace_of(link: Link, side: Side) -> LinkTrace | None:
    """Return how the direction of what `side` sends changes."""
    return link.trace if side == "server" or link.trace_up is None else link.trace_up


def has_rates(trace: LinkTrace | None) -> bool:
    """Return whether a trace changes the rate."""
    return trace is not None and any(step.rate_bps for step in trace.steps)


def path_mtu_of(link: Link, handling: Handling) -> int:
    """Return the MTU of the path if this becomes of larger packets, else 0."""
    path_mtu = link.path_mtu
    return path_mtu.size_bytes if path_mtu is not None and path_mtu.handling == handling else 0


def largest_sent(link: Link, tcp: Tcp) -> int:
    """Return the largest packet that the ends send, bytes: their MTU, or less where the path clamps the MSS."""
    return min(tcp.mtu, path_mtu_of(link, "clamped") or tcp.mtu)


def congestion_control_of(tcp: Tcp, side: Side) -> str:
    """Return the congestion control that `side` sends with."""
    return tcp.congestion_control if side == "server" else tcp.congestion_control_client or tcp.congestion_control
