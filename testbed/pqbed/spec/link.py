"""The link: what lies between client and server."""

from dataclasses import dataclass, field
from typing import Any, Literal

from pqbed.spec.cross_traffic import CrossTraffic
from pqbed.spec.drop_list import NO_DROPS, DropList
from pqbed.spec.link_timeline import LinkTrace, Outage
from pqbed.spec.middlebox import Middlebox
from pqbed.spec.path_mtu import PathMtu

Distribution = Literal["uniform", "normal", "pareto", "paretonormal"]
Segmentation = Literal["wire", "offload-off", "host"]
Layout = Literal["ends", "router"]

PPM = 1_000_000
DEFAULT_QUEUE_PACKETS = 1000
DEFAULT_LAYOUT: Layout = "ends"


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomLoss:
    """Each packet is lost on its own with this probability, in each direction."""

    kind: Literal["random"] = "random"
    probability_ppm: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GilbertElliott:
    """Burst loss with two states (netem `loss gemodel p r 1-h 1-k`; Gilbert 1960, Elliott 1963).

    `enter_bad_ppm` is p, `leave_bad_ppm` is r, the other two are the loss in each state.
    """

    kind: Literal["gilbert-elliott"] = "gilbert-elliott"
    enter_bad_ppm: int
    leave_bad_ppm: int
    loss_in_bad_ppm: int = PPM
    loss_in_good_ppm: int = 0


Loss = RandomLoss | GilbertElliott


def mean_loss_ppm(loss: Loss) -> int:
    """Return the share of packets lost in the long run, in one direction."""
    if not isinstance(loss, GilbertElliott):
        return loss.probability_ppm
    turns = loss.enter_bad_ppm + loss.leave_bad_ppm
    bad_ppm = loss.enter_bad_ppm * PPM // turns if turns else 0
    return (bad_ppm * loss.loss_in_bad_ppm + (PPM - bad_ppm) * loss.loss_in_good_ppm) // PPM


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainLimit:
    """netem's own `limit`, as `tc` takes it: queue and delay line together. What most published scripts set."""

    packets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueBytes:
    """A queue that holds so many bytes, Ethernet headers included."""

    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTime:
    """A queue that holds what its rate sends in this time."""

    length_ns: int


# Packets, unless it is of another kind.
Queue = int | PlainLimit | QueueBytes | QueueTime

# What stands at the bottleneck, by its name in the kernel: the last three drop, or mark, before they are full.
QueueDiscipline = Literal["fifo", "fq_codel", "pie", "cake"]


def queue_fields(queue: Queue) -> dict[str, Any]:
    """Return the fields of `Link` that say `queue`."""
    fields = _queue_fields(queue)
    return fields | {"queue_packets": fields["queue_packets"] or DEFAULT_QUEUE_PACKETS}


def queue_up_fields(queue: Queue | None) -> dict[str, Any]:
    """Return the fields of `Link` that say `queue` for the direction to the server; None: as the other."""
    return {name.replace("_", "_up_"): value for name, value in _queue_fields(queue).items()}


def _queue_fields(queue: Queue | None) -> dict[str, Any]:
    return {
        "queue_packets": queue if isinstance(queue, int) else None,
        "limit_packets": queue.packets if isinstance(queue, PlainLimit) else None,
        "queue_bytes": queue.size_bytes if isinstance(queue, QueueBytes) else None,
        "queue_ns": queue.length_ns if isinstance(queue, QueueTime) else None,
    }


def down_queue(link: "Link") -> Queue:
    """Return the queue of the direction to the client."""
    return _queue(link.queue_packets, link.limit_packets, link.queue_bytes, link.queue_ns) or 0


def up_queue(link: "Link") -> Queue | None:
    """Return the queue of the direction to the server; None: as the other."""
    return _queue(link.queue_up_packets, link.limit_up_packets, link.queue_up_bytes, link.queue_up_ns)


def _queue(packets: int | None, limit: int | None, size_bytes: int | None, length_ns: int | None) -> Queue | None:
    if limit is not None:
        return PlainLimit(packets=limit)
    if size_bytes is not None:
        return QueueBytes(size_bytes=size_bytes)
    return packets if length_ns is None else QueueTime(length_ns=length_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A path. Each direction gets half the RTT, and all of the other values but those named for one of them.

    `bandwidth_bps`, `loss` and so on are those towards the client; `bandwidth_up_bps`, `loss_up` and so on those
    towards the server, None where they are the same. `bandwidth_bps` None and `bandwidth_up_bps` 0 mean no rate limit.
    `delay_up_ns` is the part of the RTT that is spent on the way to the server; None: half of it.
    `jitter_ns` is netem's: the spread of the delay of one direction (the standard deviation of the
    named distributions, half the width of the uniform one). `queue_packets` is what may wait at
    the bottleneck besides the packets on the wire; `limit_packets` stands in its place where it is given, and is
    what netem holds in all, the wire included, and so do `queue_bytes` and `queue_ns`, the queue's size in other units.
    `queue_discipline` says what becomes of packets that wait there, in the layout "router".
    `layout` "ends" shapes each direction on its sender's own interface, where a full queue is told to the sender's TCP
    at once; "router" puts forwarding stages between the ends, where a full queue loses packets as a network does.
    `drop` names packets that are lost besides. `path_mtu` is that of a path that takes less than its ends send.
    `trace` says how rate, delay and loss change, `trace_up` on the way to the server if that is another; `outage` when
    nothing passes. `cross_traffic` shares the link with each fetch.
    `middlebox` loses ClientHellos, or parts of them.
    `reorder_ppm` are the packets that are not delayed, and so overtake others; `duplicate_ppm` those that come twice,
    `corrupt_ppm` those in which a bit is flipped, all in each direction.
    `name` is that of the named link the values came from; links with equal values are equal whatever they are named.
    """

    rtt_ns: int
    bandwidth_bps: int | None = None
    loss: Loss = RandomLoss()
    jitter_ns: int = 0
    distribution: Distribution = "uniform"
    queue_packets: int = DEFAULT_QUEUE_PACKETS
    segmentation: Segmentation = "wire"
    layout: Layout = DEFAULT_LAYOUT
    limit_packets: int | None = None
    bandwidth_up_bps: int | None = None
    loss_up: Loss | None = None
    drop: DropList = NO_DROPS
    delay_up_ns: int | None = None
    jitter_up_ns: int | None = None
    distribution_up: Distribution | None = None
    queue_up_packets: int | None = None
    limit_up_packets: int | None = None
    path_mtu: PathMtu | None = None
    queue_bytes: int | None = None
    queue_ns: int | None = None
    queue_up_bytes: int | None = None
    queue_up_ns: int | None = None
    queue_discipline: QueueDiscipline = "fifo"
    queue_discipline_up: QueueDiscipline | None = None
    trace: LinkTrace | None = None
    trace_up: LinkTrace | None = None
    outage: Outage | None = None
    cross_traffic: CrossTraffic | None = None
    middlebox: Middlebox | None = None
    reorder_ppm: int = 0
    duplicate_ppm: int = 0
    corrupt_ppm: int = 0
    name: str | None = field(default=None, compare=False)
