"""Bottlenecks whose queue is no netem: a queue in bytes, fq_codel, pie and cake, each behind a shaper of the kernel.

cake has a shaper of its own. The others stand below a token bucket (tbf) as deep as one frame, so that at most one is
sent ahead of its time; the delay line behind it takes the time of sending (spec/link_end_shape.py).
"""

import errno
import struct
from dataclasses import dataclass, field

from pqbed.errors import HostError
from pqbed.net.kernel_features import load_hint
from pqbed.net.netem import U32_MAX
from pqbed.net.netem_refusals import refusal_to_shape
from pqbed.net.rtnetlink import NLM_F_CREATE, NLM_F_DUMP, NLM_F_REPLACE, RefusalError, RouteSocket, attributes
from pqbed.net.tc_messages import (
    DROPS_AT,
    RTM_DELQDISC,
    RTM_GETQDISC,
    RTM_NEWQDISC,
    TC_H_ROOT,
    TCA_KIND,
    TCA_OPTIONS,
    TCA_STATS2,
    TCA_STATS_APP,
    TCA_STATS_QUEUE,
    attribute,
    number_of,
    tc_attributes,
    tc_fields,
    tc_message,
    u32_at,
)
from pqbed.spec.link import QueueDiscipline
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES, EndShape
from pqbed.units import NS_PER_S

ROOT_HANDLE, CHILD_HANDLE = 0x7076_0000, 0x7077_0000
_CHILD_PARENT = ROOT_HANDLE | 1

# include/uapi/linux/pkt_sched.h. struct tc_ratespec: cell_log, linklayer (1: Ethernet), overhead, align, mpu, rate.
_TBF_PARMS, _TBF_RATE64, _TBF_BURST = 1, 4, 6
_RATESPEC = struct.Struct("=BBHhHI")
_FQ_CODEL_LIMIT, _FQ_CODEL_ECN = 2, 4
_PIE_LIMIT, _PIE_ECN = 2, 6
_CAKE_RATE64, _CAKE_MEMORY = 2, 10
# PSCHED_SHIFT of include/net/pkt_sched.h.
_TICK_NS = 64

# Where the counts of marked packets stand in the statistics of a qdisc.
_FQ_CODEL_MARKS_AT, _PIE_MARKS_AT = 12, 36
_CAKE_TINS, _CAKE_TIN_MARKS = 10, 8

_BELOW_TBF: tuple[QueueDiscipline, ...] = ("fq_codel", "pie")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedQueue:
    """`limit_packets` is what fq_codel and pie hold, `queue_bytes` what a fifo holds, or cake's memory.

    `burst_bytes`, which the kernel keeps as a rounded time, is not compared.
    """

    discipline: QueueDiscipline
    rate_bytes: int
    burst_bytes: int = field(compare=False)
    limit_packets: int
    queue_bytes: int


def managed_queue_of(shape: EndShape) -> ManagedQueue | None:
    """Return the bottleneck of `shape`; None if netem is one."""
    if shape.discipline is None:
        return None
    return ManagedQueue(
        discipline=shape.discipline,
        rate_bytes=(shape.rate_bps or 0) // 8,
        burst_bytes=0 if shape.discipline == "cake" else shape.mtu + ETHERNET_HEADER_BYTES,
        limit_packets=shape.limit_packets,
        queue_bytes=shape.queue_bytes,
    )


class MissingQueueError(HostError):
    """The kernel lacks the qdisc that `module` has."""

    def __init__(self, message: str, hint: str, module: str) -> None:
        super().__init__(message, hint)
        self.module = module


class ManagedQueueControl:
    """The bottleneck at the root of interface `index`, through `kernel`, which others may share."""

    def __init__(self, kernel: RouteSocket, ifname: str, index: int) -> None:
        self._kernel = kernel
        self._ifname = ifname
        self._index = index
        self._wanted: ManagedQueue | None = None
        self._present = False

    @property
    def present(self) -> bool:
        """Return whether it is set, and not removed."""
        return self._present

    def put(self, wanted: ManagedQueue | None) -> None:
        """Set it, or leave the root alone if there is none. Raises HostError if the kernel has no such queue."""
        self.remove()
        self._wanted = wanted
        self.restore()

    def restore(self) -> None:
        """Set it again, empty and with its counts at zero."""
        wanted = self._wanted
        if wanted is None:
            return
        self.remove()
        self._present = True
        if wanted.discipline == "cake":
            self._create(TC_H_ROOT, ROOT_HANDLE, "cake", _cake_options(wanted))
            return
        self._create(TC_H_ROOT, ROOT_HANDLE, "tbf", _tbf_options(wanted))
        if wanted.discipline != "fifo":
            self._create(_CHILD_PARENT, CHILD_HANDLE, wanted.discipline, _child_options(wanted))

    def change(self, wanted: ManagedQueue) -> None:
        """Set another rate; what waits stays. For the thread of a timeline: on a socket of its own."""
        if wanted.discipline == "cake":
            self._create(TC_H_ROOT, ROOT_HANDLE, "cake", _cake_options(wanted))
        else:
            self._create(TC_H_ROOT, ROOT_HANDLE, "tbf", _tbf_options(wanted))

    def remove(self) -> None:
        """Remove it with all packets in it, until `restore`."""
        if self._present:
            try:
                self._kernel.ask_bytes(tc_message(RTM_DELQDISC, 0, index=self._index, parent=TC_H_ROOT))
            except RefusalError as refusal:
                if refusal.code not in (errno.ENOENT, errno.EINVAL):
                    raise refusal_to_shape(refusal, self._ifname) from None
        self._present = False

    def read(self) -> ManagedQueue | None:
        """Return it as the kernel has it; None if the root is another qdisc."""
        qdiscs = self._dump()
        root = qdiscs.get(TC_H_ROOT, {})
        options = attributes(root.get(TCA_OPTIONS, b""), 0)
        match _kind(root):
            case "cake":
                return _read_cake(options)
            case "tbf":
                return _read_tbf(options, qdiscs.get(_CHILD_PARENT, {}))
            case _:
                return None

    def counts(self) -> tuple[int, int]:
        """Return how many packets it has dropped and marked since it was set."""
        if not self._present:
            return 0, 0
        qdiscs = self._dump()
        root = attributes(qdiscs.get(TC_H_ROOT, {}).get(TCA_STATS2, b""), 0)
        return u32_at(root.get(TCA_STATS_QUEUE, b""), DROPS_AT), sum(map(_marks, qdiscs.values()))

    def _create(self, parent: int, handle: int, kind: str, options: bytes) -> None:
        body = attribute(TCA_KIND, kind.encode() + b"\0") + attribute(TCA_OPTIONS, options)
        # Below a token bucket there is a first child of its own already.
        message = tc_message(
            RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, index=self._index, parent=parent, handle=handle, body=body
        )
        try:
            self._kernel.ask_bytes(message)
        except RefusalError as refusal:
            raise refusal_of(refusal, self._ifname, kind) from None

    def _dump(self) -> dict[int, dict[int, bytes]]:
        """Return the attributes of the qdiscs of the interface by parent."""
        by_parent = {}
        for data in self._kernel.ask_bytes(tc_message(RTM_GETQDISC, NLM_F_DUMP)):
            index, _, parent, _ = tc_fields(data)
            if index == self._index:
                by_parent[parent] = tc_attributes(data)
        return by_parent


def refusal_of(refusal: RefusalError, ifname: str, kind: str) -> HostError:
    """Return the error, with its fix, that a refused qdisc of this kind means."""
    if refusal.code != errno.ENOENT:
        return refusal_to_shape(refusal, ifname)
    return MissingQueueError(
        f"this kernel has no sch_{kind}: {refusal.reason}",
        hint=f"take another --queue-discipline, or {load_hint(f'sch_{kind}')}",
        module=f"sch_{kind}",
    )


def _tbf_options(queue: ManagedQueue) -> bytes:
    rate = _RATESPEC.pack(0, 1, 0, 0, 0, min(queue.rate_bytes, U32_MAX))
    # The limit is that of its first child, which fq_codel and pie replace.
    sizes = struct.pack("=III", queue.queue_bytes or queue.burst_bytes, 0, 0)
    return (
        attribute(_TBF_PARMS, rate + bytes(_RATESPEC.size) + sizes)
        + attribute(_TBF_RATE64, struct.pack("=Q", queue.rate_bytes))
        + attribute(_TBF_BURST, struct.pack("=I", queue.burst_bytes))
    )


def _child_options(queue: ManagedQueue) -> bytes:
    limit, ecn = (_PIE_LIMIT, _PIE_ECN) if queue.discipline == "pie" else (_FQ_CODEL_LIMIT, _FQ_CODEL_ECN)
    return attribute(limit, struct.pack("=I", queue.limit_packets)) + attribute(ecn, struct.pack("=I", 1))


def _cake_options(queue: ManagedQueue) -> bytes:
    rate = attribute(_CAKE_RATE64, struct.pack("=Q", queue.rate_bytes))
    return rate + attribute(_CAKE_MEMORY, struct.pack("=I", min(queue.queue_bytes, U32_MAX)))


def _read_cake(options: dict[int, bytes]) -> ManagedQueue:
    return ManagedQueue(
        discipline="cake",
        rate_bytes=number_of(options, _CAKE_RATE64),
        burst_bytes=0,
        limit_packets=0,
        queue_bytes=number_of(options, _CAKE_MEMORY),
    )


def _read_tbf(options: dict[int, bytes], child: dict[int, bytes]) -> ManagedQueue:
    parms = options[_TBF_PARMS]
    limit, buffer = u32_at(parms, 2 * _RATESPEC.size), u32_at(parms, 2 * _RATESPEC.size + 4)
    rate_bytes = number_of(options, _TBF_RATE64) or u32_at(parms, _RATESPEC.size - 4)
    kind = next((name for name in _BELOW_TBF if name == _kind(child)), None)
    number = _FQ_CODEL_LIMIT if kind == "fq_codel" else _PIE_LIMIT
    return ManagedQueue(
        discipline=kind or "fifo",
        rate_bytes=rate_bytes,
        burst_bytes=buffer * _TICK_NS * rate_bytes // NS_PER_S,
        limit_packets=0 if kind is None else number_of(attributes(child.get(TCA_OPTIONS, b""), 0), number),
        queue_bytes=limit if kind is None else 0,
    )


def _marks(qdisc: dict[int, bytes]) -> int:
    """Return how many packets a queue has marked (congestion experienced); 0 if it is of another kind."""
    own = attributes(qdisc.get(TCA_STATS2, b""), 0).get(TCA_STATS_APP, b"")
    match _kind(qdisc):
        case "fq_codel":
            return u32_at(own, _FQ_CODEL_MARKS_AT)
        case "pie":
            return u32_at(own, _PIE_MARKS_AT)
        case "cake":
            tins = attributes(attributes(own, 0).get(_CAKE_TINS, b""), 0).values()
            return sum(number_of(attributes(tin, 0), _CAKE_TIN_MARKS) for tin in tins)
        case _:
            return 0


def _kind(qdisc: dict[int, bytes]) -> str:
    return qdisc.get(TCA_KIND, b"").rstrip(b"\0").decode()
