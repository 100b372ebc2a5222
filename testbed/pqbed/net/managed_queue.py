"""Bottlenecks whose queue is no netem: a queue in bytes, fq_codel, pie and cake, each behind a shaper of the kernel.

cake has a shaper of its own. The others stand below a token bucket (tbf) as deep as one frame, so that at most one is
sent ahead of its time; the delay line behind it takes the time of sending (spec/link_end_shape.py).
"""

import errno
import struct
import sys
from dataclasses import dataclass, field

from pqbed.errors import HostError
from pqbed.net.netem import (
    NLMSG_HEADER_BYTES,
    RTM_DELQDISC,
    RTM_GETQDISC,
    RTM_NEWQDISC,
    TC_H_ROOT,
    TCA_KIND,
    TCA_OPTIONS,
    TCMSG_BYTES,
)
from pqbed.net.netem_refusals import refusal_to_shape
from pqbed.net.rtnetlink import (
    ATTRIBUTE,
    HEADER,
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_REPLACE,
    NLM_F_REQUEST,
    RefusalError,
    RouteSocket,
    attributes,
)
from pqbed.spec.link import QueueDiscipline
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES, EndShape
from pqbed.units import NS_PER_S

ROOT_HANDLE, CHILD_HANDLE = 0x7076_0000, 0x7077_0000
_CHILD_PARENT = ROOT_HANDLE | 1
_TCMSG = struct.Struct("=BxxxiIII")
_ATTRIBUTES_AT = NLMSG_HEADER_BYTES + TCMSG_BYTES

# include/uapi/linux/pkt_sched.h. struct tc_ratespec: cell_log, linklayer (1: Ethernet), overhead, align, mpu, rate.
_TBF_PARMS, _TBF_RATE64, _TBF_BURST = 1, 4, 6
_RATESPEC = struct.Struct("=BBHhHI")
_FQ_CODEL_LIMIT, _FQ_CODEL_ECN = 2, 4
_PIE_LIMIT, _PIE_ECN = 2, 6
_CAKE_RATE64, _CAKE_MEMORY = 2, 10
# PSCHED_SHIFT of include/net/pkt_sched.h.
_TICK_NS = 64
_U32_MAX = 0xFFFF_FFFF

# Where the counts of dropped and marked packets stand in the statistics of a qdisc.
_STATS2, _STATS_QUEUE, _STATS_APP = 7, 3, 4
_DROPS_AT, _FQ_CODEL_MARKS_AT, _PIE_MARKS_AT = 8, 12, 36
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
                self._kernel.ask_bytes(_message(RTM_DELQDISC, 0, index=self._index, parent=TC_H_ROOT))
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
        root = attributes(qdiscs.get(TC_H_ROOT, {}).get(_STATS2, b""), 0)
        return _u32(root.get(_STATS_QUEUE, b""), _DROPS_AT), sum(map(_marks, qdiscs.values()))

    def _create(self, parent: int, handle: int, kind: str, options: bytes) -> None:
        body = _attribute(TCA_KIND, kind.encode() + b"\0") + _attribute(TCA_OPTIONS, options)
        # Below a token bucket there is a first child of its own already.
        message = _message(
            RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, index=self._index, parent=parent, handle=handle, body=body
        )
        try:
            self._kernel.ask_bytes(message)
        except RefusalError as refusal:
            raise refusal_of(refusal, self._ifname, kind) from None

    def _dump(self) -> dict[int, dict[int, bytes]]:
        """Return the attributes of the qdiscs of the interface by parent."""
        by_parent = {}
        for data in self._kernel.ask_bytes(_message(RTM_GETQDISC, NLM_F_DUMP)):
            index, _, parent = struct.unpack_from("=iII", data, NLMSG_HEADER_BYTES + 4)
            if index == self._index:
                by_parent[parent] = attributes(data, _ATTRIBUTES_AT)
        return by_parent


def refusal_of(refusal: RefusalError, ifname: str, kind: str) -> HostError:
    """Return the error, with its fix, that a refused qdisc of this kind means."""
    if refusal.code != errno.ENOENT:
        return refusal_to_shape(refusal, ifname)
    return HostError(
        f"this kernel has no sch_{kind}: {refusal.reason}",
        hint=f"load it on the engine's host (modprobe sch_{kind}), take another --queue-discipline, or use the uml "
        "bed, which brings its own kernel: --bed uml",
    )


def _tbf_options(queue: ManagedQueue) -> bytes:
    rate = _RATESPEC.pack(0, 1, 0, 0, 0, min(queue.rate_bytes, _U32_MAX))
    # The limit is that of its first child, which fq_codel and pie replace.
    sizes = struct.pack("=III", queue.queue_bytes or queue.burst_bytes, 0, 0)
    return (
        _attribute(_TBF_PARMS, rate + bytes(_RATESPEC.size) + sizes)
        + _attribute(_TBF_RATE64, struct.pack("=Q", queue.rate_bytes))
        + _attribute(_TBF_BURST, struct.pack("=I", queue.burst_bytes))
    )


def _child_options(queue: ManagedQueue) -> bytes:
    limit, ecn = (_PIE_LIMIT, _PIE_ECN) if queue.discipline == "pie" else (_FQ_CODEL_LIMIT, _FQ_CODEL_ECN)
    return _attribute(limit, struct.pack("=I", queue.limit_packets)) + _attribute(ecn, struct.pack("=I", 1))


def _cake_options(queue: ManagedQueue) -> bytes:
    rate = _attribute(_CAKE_RATE64, struct.pack("=Q", queue.rate_bytes))
    return rate + _attribute(_CAKE_MEMORY, struct.pack("=I", min(queue.queue_bytes, _U32_MAX)))


def _read_cake(options: dict[int, bytes]) -> ManagedQueue:
    return ManagedQueue(
        discipline="cake",
        rate_bytes=_number(options, _CAKE_RATE64),
        burst_bytes=0,
        limit_packets=0,
        queue_bytes=_number(options, _CAKE_MEMORY),
    )


def _read_tbf(options: dict[int, bytes], child: dict[int, bytes]) -> ManagedQueue:
    parms = options[_TBF_PARMS]
    limit, buffer = _u32(parms, 2 * _RATESPEC.size), _u32(parms, 2 * _RATESPEC.size + 4)
    rate_bytes = _number(options, _TBF_RATE64) or _u32(parms, _RATESPEC.size - 4)
    kind = next((name for name in _BELOW_TBF if name == _kind(child)), None)
    number = _FQ_CODEL_LIMIT if kind == "fq_codel" else _PIE_LIMIT
    return ManagedQueue(
        discipline=kind or "fifo",
        rate_bytes=rate_bytes,
        burst_bytes=buffer * _TICK_NS * rate_bytes // NS_PER_S,
        limit_packets=0 if kind is None else _number(attributes(child.get(TCA_OPTIONS, b""), 0), number),
        queue_bytes=limit if kind is None else 0,
    )


def _marks(qdisc: dict[int, bytes]) -> int:
    """Return how many packets a queue has marked (congestion experienced); 0 if it is of another kind."""
    own = attributes(qdisc.get(_STATS2, b""), 0).get(_STATS_APP, b"")
    match _kind(qdisc):
        case "fq_codel":
            return _u32(own, _FQ_CODEL_MARKS_AT)
        case "pie":
            return _u32(own, _PIE_MARKS_AT)
        case "cake":
            tins = attributes(attributes(own, 0).get(_CAKE_TINS, b""), 0).values()
            return sum(_number(attributes(tin, 0), _CAKE_TIN_MARKS) for tin in tins)
        case _:
            return 0


def _kind(qdisc: dict[int, bytes]) -> str:
    return qdisc.get(TCA_KIND, b"").rstrip(b"\0").decode()


def _u32(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], sys.byteorder)


def _number(values: dict[int, bytes], number: int) -> int:
    return int.from_bytes(values.get(number, b""), sys.byteorder)


def _attribute(kind: int, payload: bytes) -> bytes:
    length = ATTRIBUTE.size + len(payload)
    return ATTRIBUTE.pack(length, kind) + payload + bytes(-length % 4)


def _message(
    kind: int, flags: int, *, index: int = 0, parent: int = 0, handle: int = 0, body: bytes = b""
) -> bytearray:
    whole = _TCMSG.pack(0, index, handle, parent, 0) + body
    header = HEADER.pack(HEADER.size + len(whole), kind, flags | NLM_F_REQUEST | NLM_F_ACK, 0, 0)
    return bytearray(header + whole)
