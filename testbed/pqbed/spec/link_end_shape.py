"""Shape of each end and stage of a link: link x tcp x side x seed -> one frozen value. Pure.

In the layout `router` the ends are unshaped, and each direction has two stages between them: first the bottleneck with
its queue, then delay and loss. A stage is set like an end, by a value of the same kind.

Times in ns, rates in bit/s, probabilities in ppm.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal, get_args

from pqbed.spec.link import (
    PPM,
    Distribution,
    Link,
    Loss,
    PlainLimit,
    QueueBytes,
    QueueDiscipline,
    QueueTime,
    RandomLoss,
    Segmentation,
)
from pqbed.spec.link_sides import (
    Side,
    congestion_control_of,
    delay_of,
    discipline_of,
    distribution_of,
    has_rates,
    jitter_of,
    loss_of,
    nominal_rate,
    path_mtu_of,
    queue_of,
    rate_of,
    trace_of,
)
from pqbed.spec.link_timeline import Timeline, draw_offset, rates_alone
from pqbed.spec.middlebox import Middlebox
from pqbed.spec.tcp import Tcp
from pqbed.units import NS_PER_S

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
# cake counts the memory of its packets, which is up to twice their bytes (skb->truesize; sch_cake.c, cake_enqueue).
CAKE_BYTES_A_BYTE = 2
# With a rate, netem lets no packet overtake another (sch_netem.c, netem_enqueue); at this one none takes a nanosecond.
IN_ORDER_BPS = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class EndShape:
    """Everything that is set on one end. `limit_packets` is netem's: delay line and queue together.

    `drops`: the packets that are lost, by number and ascending. `largest_packet`: larger ones are lost, `advmss`:
    the MSS that SYNs offer, both in bytes; 0 for neither. A bottleneck whose queue is no number of packets, or no
    `fifo`, has no netem: `discipline` names it, and `queue_bytes` is what it holds where the kernel counts bytes.
    `ecn`: ask for explicit congestion notification (RFC 3168). With a `timeline` the values above are those where it
    says nothing. `forgets_path_mtu`: what an ICMP message has told of the path is forgotten after each fetch.
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
    discipline: QueueDiscipline | None = None
    queue_bytes: int = 0
    ecn: bool = False
    timeline: Timeline | None = None
    middlebox: Middlebox | None = None
    reorder_ppm: int = 0
    duplicate_ppm: int = 0
    corrupt_ppm: int = 0
    forgets_path_mtu: bool = False


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
    stage_shape = replace(
        _bare(whole), initcwnd=0, initrwnd=0, congestion_control="", advmss=0, ecn=False, forgets_path_mtu=False
    )
    if stage not in BOTTLENECKS:
        return replace(
            stage_shape,
            delay_ns=whole.delay_ns,
            jitter_ns=whole.jitter_ns,
            distribution=whole.distribution,
            loss=whole.loss,
            drops=whole.drops,
            largest_packet=whole.largest_packet,
            rate_bps=_delay_line_rate(link, whole, side_of(stage)),
            timeline=whole.timeline,
            middlebox=whole.middlebox,
            reorder_ppm=whole.reorder_ppm,
            duplicate_ppm=whole.duplicate_ppm,
            corrupt_ppm=whole.corrupt_ppm,
            limit_packets=DELAY_LINE_PACKETS,
        )
    # The first hop of either direction sends on into the bottleneck, and tells what is too large for that.
    stage_shape = replace(stage_shape, mtu=min(tcp.mtu, path_mtu_of(link, "told") or tcp.mtu))
    if nominal_rate(link, side_of(stage)) is None:
        return stage_shape
    return _shape_bottleneck(link, tcp, replace(stage_shape, rate_bps=whole.rate_bps, timeline=_rates(whole)), stage)


def _shape_bottleneck(link: Link, tcp: Tcp, bare: EndShape, stage: Stage) -> EndShape:
    """Return the bottleneck: a netem, or the kernel's own shaper in front of a queue that netem has not."""
    side = side_of(stage)
    queue, discipline = queue_of(link, side), discipline_of(link, side)
    if not _is_managed(link, side):
        return replace(bare, limit_packets=queue_frames(link, tcp.mtu, side) + (not isinstance(queue, PlainLimit)))
    frames, frame_bytes = queue_frames(link, tcp.mtu, side), tcp.mtu + ETHERNET_HEADER_BYTES
    if discipline == "fifo":
        return replace(bare, discipline=discipline, queue_bytes=queue_bytes(link, tcp.mtu, side))
    if discipline == "cake":
        return replace(bare, discipline=discipline, queue_bytes=CAKE_BYTES_A_BYTE * frames * frame_bytes)
    return replace(bare, discipline=discipline, limit_packets=frames)


def _is_managed(link: Link, side: Side) -> bool:
    """Return whether the bottleneck of what `side` sends has a queue that netem has not."""
    if link.layout != "router" or nominal_rate(link, side) is None:
        return False
    if has_rates(trace_of(link, side)):
        return True
    return discipline_of(link, side) != "fifo" or isinstance(queue_of(link, side), QueueBytes | QueueTime)


def _delay_line_rate(link: Link, whole: EndShape, side: Side) -> int | None:
    """Return the rate of the stage behind the bottleneck.

    netem lets a packet go when it has been sent, the kernel's shapers when it may be: there, sending takes its time in
    the delay line, where packets that come at the rate do not wait for one another.
    """
    if _is_managed(link, side):
        return whole.rate_bps
    return IN_ORDER_BPS if whole.jitter_ns and whole.rate_bps is not None else None


def stages_of(link: Link) -> tuple[Stage, ...]:
    """Return the stages that `link` has."""
    return STAGES if link.layout == "router" else ()


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
        discipline=None,
        timeline=None,
        middlebox=None,
        reorder_ppm=0,
        duplicate_ppm=0,
        corrupt_ppm=0,
    )


def with_plain_queues(link: Link) -> Link:
    """Return `link` with queues that drop nothing before they are full."""
    return replace(link, queue_discipline="fifo", queue_discipline_up=None)


def queue_bytes(link: Link, mtu: int, side: Side) -> int:
    """Return what the queue of what `side` sends holds, bytes with Ethernet headers; at least one full frame."""
    queue, frame_bytes = queue_of(link, side), mtu + ETHERNET_HEADER_BYTES
    match queue:
        case QueueBytes():
            return max(queue.size_bytes, frame_bytes)
        case QueueTime():
            return max(queue.length_ns * (nominal_rate(link, side) or 0) // (8 * NS_PER_S), frame_bytes)
        case PlainLimit():
            return queue.packets * frame_bytes
        case _:
            return queue * frame_bytes


def queue_frames(link: Link, mtu: int, side: Side) -> int:
    """Return how many full frames that is."""
    return queue_bytes(link, mtu, side) // (mtu + ETHERNET_HEADER_BYTES)


def queue_limit(link: Link, tcp: Tcp, side: Side) -> int | None:
    """Return how many full frames the queue of what `side` sends holds, as its kernel counts; None if it has none.

    That is netem's limit, or what a fifo in bytes holds. A managed queue counts as a fifo of its size.
    """
    link = with_plain_queues(link)
    if link.layout == "ends":
        return shape_direction(link, tcp, side, 0).limit_packets
    if nominal_rate(link, side) is None:
        return None
    shape = shape_stage(link, tcp, "down-rate" if side == "server" else "up-rate", 0)
    return shape.limit_packets or shape.queue_bytes // (tcp.mtu + ETHERNET_HEADER_BYTES)


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
        ecn=tcp.ecn,
        discipline=discipline_of(link, side) if _is_managed(link, side) else None,
        timeline=_timeline(link, side, seed),
        middlebox=link.middlebox if side == "client" else None,
        reorder_ppm=link.reorder_ppm,
        duplicate_ppm=link.duplicate_ppm,
        corrupt_ppm=link.corrupt_ppm,
        forgets_path_mtu=path_mtu_of(link, "told") > 0,
    )


def side_of(stage: Stage) -> Side:
    """Return which side sends what passes `stage`."""
    return "server" if stage.startswith("down") else "client"


def _timeline(link: Link, side: Side, seed: int) -> Timeline | None:
    trace = trace_of(link, side)
    if trace is None and link.outage is None:
        return None
    return Timeline(trace=trace, offset_ns=0 if trace is None else draw_offset(seed, trace), outage=link.outage)


def _rates(shape: EndShape) -> Timeline | None:
    """Return what a bottleneck has of a timeline."""
    timeline = shape.timeline
    if timeline is None or timeline.trace is None or not has_rates(timeline.trace):
        return None
    return replace(timeline, trace=rates_alone(timeline.trace), outage=None)


def at_time(shape: EndShape, elapsed_ns: int) -> EndShape:
    """Return `shape` as it is so long after the start of a fetch; with a rate, so that no packet overtakes."""
    if shape.timeline is None:
        return shape
    step = shape.timeline.step(elapsed_ns)
    loss = shape.loss if step.loss_ppm is None else RandomLoss(probability_ppm=step.loss_ppm)
    return replace(
        shape,
        rate_bps=step.rate_bps or shape.rate_bps or IN_ORDER_BPS,
        delay_ns=shape.delay_ns if step.delay_ns is None else step.delay_ns,
        loss=RandomLoss(probability_ppm=PPM) if shape.timeline.is_out(elapsed_ns) else loss,
    )


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
        reach_ns = max(delay_ns, *_trace_delays(link, side)) + JITTER_REACH * jitter_of(link, side)
        on_the_wire = -(-reach_ns * rate_bps // (frame_bits * NS_PER_S))
    return on_the_wire + queue_frames(link, mtu, side)


def _trace_delays(link: Link, side: Side) -> tuple[int, ...]:
    trace = trace_of(link, side)
    return (0,) if trace is None else tuple(step.delay_ns or 0 for step in trace.steps)
