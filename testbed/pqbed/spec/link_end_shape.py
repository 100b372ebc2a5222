"""Shape of each end and stage of a link: link x tcp x side x seed -> one frozen value. Pure.

In the layout `router` the ends are unshaped, and each direction has two stages between them: first the bottleneck with
its queue, then delay and loss. A stage is set like an end, by a value of the same kind.

Times in ns, rates in bit/s, probabilities in ppm.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal, get_args

from pqbed.spec.link import Distribution, Link, Loss, PlainLimit, Queue, RandomLoss, Segmentation
from pqbed.spec.path_mtu import Handling
from pqbed.spec.tcp import Tcp
from pqbed.units import NS_PER_S

Side = Literal["client", "server"]
SIDES: tuple[Side, ...] = ("client", "server")
# Down to the client and up to the server, each in the order in which packets pass.
Stage = Literal["down-rate", "down-delay", "up-rate", "up-delay"]
STAGES: tuple[Stage, ...] = get_args(Stage)
BOTTLENECKS: tuple[Stage, ...] = ("down-rate", "up-rate")

ETHERNET_HEADER_BYTES = 14
# IPv4 and TCP without options: what an MSS leaves out.
TCP_IP_BYTES = 40
# Without a rate limit only the windows bound what is in flight: tcp_wmem's and tcp_rmem's maximum (net/sysctls.py).
UNLIMITED_IN_FLIGHT_BYTES = 6 * 1024 * 1024
# netem cuts named distributions at 4 sigma (tables of int16 scaled by 8192).
JITTER_REACH = 4
# More than the windows let anyone have on the wire: what is not lost by `loss` is not lost in a delay line.
DELAY_LINE_PACKETS = 1_000_000
# With a rate, netem lets no packet overtake another (sch_netem.c, netem_enqueue); at this one none takes a nanosecond.
IN_ORDER_BPS = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class EndShape:
    """Everything that is set on one end. `limit_packets` is netem's: delay line and queue together.

    `drops`: the packets that are lost, by number and ascending. `largest_packet`: larger ones are lost, `advmss`:
    the MSS that SYNs offer, both in bytes; 0 for neither.
    """

    delay_ns: int
    jitter_ns: int
    distribution: Distribution
    loss: Loss
    rate_bps: int | None
    limit_packets: int
    seed: int
    segmentation: Segmentation
    mtu: int
    initcwnd: int
    initrwnd: int
    congestion_control: str
    drops: tuple[int, ...] = ()
    largest_packet: int = 0
    advmss: int = 0


def shape_end(link: Link, tcp: Tcp, side: Side, seed: int) -> EndShape:
    """Return what `side` is set to."""
    whole = shape_direction(link, tcp, side, seed)
    return whole if link.layout == "ends" else _bare(whole)


def shape_stage(link: Link, tcp: Tcp, stage: Stage, seed: int) -> EndShape:
    """Return what a stage of the layout `router` is set to.

    netem keeps a packet until it has left at the rate, so the packet being sent counts in the bottleneck's limit, in
    addition to those that wait. Jitter reorders if the link has no rate, as it does at the ends.
    """
    whole = shape_direction(link, tcp, "server" if stage.startswith("down") else "client", seed)
    stage_shape = replace(_bare(whole), initcwnd=0, initrwnd=0, congestion_control="", advmss=0)
    if stage not in BOTTLENECKS:
        return replace(
            stage_shape,
            delay_ns=whole.delay_ns,
            jitter_ns=whole.jitter_ns,
            distribution=whole.distribution,
            loss=whole.loss,
            drops=whole.drops,
            largest_packet=whole.largest_packet,
            rate_bps=IN_ORDER_BPS if whole.jitter_ns and whole.rate_bps is not None else None,
            limit_packets=DELAY_LINE_PACKETS,
        )
    if whole.rate_bps is None:
        return stage_shape
    queue = queue_of(link, "server" if stage.startswith("down") else "client")
    limit = queue.packets if isinstance(queue, PlainLimit) else queue + 1
    return replace(stage_shape, rate_bps=whole.rate_bps, limit_packets=limit)


def stages_of(link: Link) -> tuple[Stage, ...]:
    """Return the stages that `link` has."""
    return STAGES if link.layout == "router" else ()


def bottleneck_of(link: Link, tcp: Tcp, side: Side) -> EndShape:
    """Return what sets the rate of what `side` sends and holds its queue."""
    if link.layout == "ends":
        return shape_end(link, tcp, side, 0)
    return shape_stage(link, tcp, "down-rate" if side == "server" else "up-rate", 0)


def _bare(shape: EndShape) -> EndShape:
    """Return `shape` without all that happens to packets on their way."""
    return replace(
        shape,
        delay_ns=0,
        jitter_ns=0,
        distribution="uniform",
        loss=RandomLoss(),
        rate_bps=None,
        limit_packets=0,
        drops=(),
        largest_packet=0,
    )


def queue_limit(link: Link, tcp: Tcp, side: Side) -> int | None:
    """Return the netem limit of the queue of what `side` sends, packets; None if it has no queue."""
    if link.layout == "ends":
        return shape_direction(link, tcp, side, 0).limit_packets
    if rate_of(link, side) is None:
        return None
    return shape_stage(link, tcp, "down-rate" if side == "server" else "up-rate", 0).limit_packets


def shape_direction(link: Link, tcp: Tcp, side: Side, seed: int) -> EndShape:
    """Return everything that shapes what `side` sends, at its end or in the stages."""
    delay_ns = delay_of(link, side)
    return EndShape(
        delay_ns=delay_ns,
        jitter_ns=jitter_of(link, side),
        distribution=distribution_of(link, side),
        loss=loss_of(link, side),
        rate_bps=rate_of(link, side),
        limit_packets=limit_packets(link, tcp.mtu, delay_ns, side),
        seed=end_seed(seed, side),
        segmentation=link.segmentation,
        mtu=tcp.mtu,
        initcwnd=tcp.initcwnd_server if side == "server" else tcp.initcwnd_client,
        initrwnd=tcp.initrwnd,
        congestion_control=congestion_control_of(tcp, side),
        drops=link.drop.down if side == "server" else link.drop.up,
        largest_packet=path_mtu_of(link, "swallowed"),
        advmss=max(0, path_mtu_of(link, "clamped") - TCP_IP_BYTES),
    )


def path_mtu_of(link: Link, handling: Handling) -> int:
    """Return the MTU of the path if this becomes of larger packets, else 0."""
    path_mtu = link.path_mtu
    return path_mtu.size_bytes if path_mtu is not None and path_mtu.handling == handling else 0


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


def queue_of(link: Link, side: Side) -> Queue:
    """Return the queue of what `side` sends."""
    if side == "client" and link.limit_up_packets is not None:
        return PlainLimit(packets=link.limit_up_packets)
    if side == "client" and link.queue_up_packets is not None:
        return link.queue_up_packets
    return link.queue_packets if link.limit_packets is None else PlainLimit(packets=link.limit_packets)


def rate_of(link: Link, side: Side) -> int | None:
    """Return the rate at which `side` can send, None without a limit."""
    if side == "server" or link.bandwidth_up_bps is None:
        return link.bandwidth_bps
    return link.bandwidth_up_bps or None


def loss_of(link: Link, side: Side) -> Loss:
    """Return the loss among what `side` sends."""
    return link.loss if side == "server" or link.loss_up is None else link.loss_up


def congestion_control_of(tcp: Tcp, side: Side) -> str:
    """Return the congestion control that `side` sends with."""
    return tcp.congestion_control if side == "server" else tcp.congestion_control_client or tcp.congestion_control


def reseed(shape: EndShape, seed: int, side: Side) -> EndShape:
    """Return `shape` with the seed of another fetch."""
    return replace(shape, seed=end_seed(seed, side))


def end_seed(seed: int, side: Side) -> int:
    """Mix the seed of a fetch with its direction.

    netem does not warm up its generator, so near seeds give near streams: hash to 64 well-mixed bits.
    """
    digest = hashlib.blake2b(f"{seed}/{side}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1


def limit_packets(link: Link, mtu: int, delay_ns: int, side: Side = "server") -> int:
    """Return netem's `limit` at `side`: the packets on the wire in its direction, and the queue.

    netem counts its delay line in `limit`, so a fixed 1000 would cap 1 Gbit/s at 100 ms to 120 Mbit/s.
    """
    queue = queue_of(link, side)
    if isinstance(queue, PlainLimit):
        return queue.packets
    frame_bits = 8 * (mtu + ETHERNET_HEADER_BYTES)
    rate_bps = rate_of(link, side)
    if rate_bps is None:
        on_the_wire = -(-8 * UNLIMITED_IN_FLIGHT_BYTES // frame_bits)
    else:
        reach_ns = delay_ns + JITTER_REACH * jitter_of(link, side)
        on_the_wire = -(-reach_ns * rate_bps // (frame_bits * NS_PER_S))
    return on_the_wire + queue
