"""Two captures of one connection put together: each segment when it was sent, and when it came or that it was lost."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pqbed.errors import StoreError
from pqbed.net.pcap import Frame
from pqbed.trace.packets import FIN, RST, SYN, Endpoint, Packet, tcp_packets

Fate = Literal["arrived", "lost", "under way"]

SEQUENCE_SPACE = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment. Times in ns from the first SYN; `number` counts the sender's bytes of data from 0.

    `up` is from client to server; `repeated` tells that some of it had been sent before. `acknowledged` counts the
    other side's bytes likewise. A SYN has `number` -1.
    """

    up: bool
    sent_ns: int
    received_ns: int | None
    fate: Fate
    number: int
    data: bytes
    acknowledged: int
    syn: bool
    reset: bool
    repeated: bool
    frame_bytes: int

    @property
    def end(self) -> int:
        """Return the number of the byte behind the last one."""
        return self.number + len(self.data)

    @property
    def carries(self) -> bool:
        """Tell whether the other side must acknowledge it: it holds data, or opens the connection."""
        return bool(self.data) or self.syn


@dataclass(frozen=True, slots=True)
class _Way:
    """One direction: who sends, the packets as sent and as received, and both sides' initial numbers."""

    up: bool
    sent: list[Packet]
    received: list[Packet]
    opening: int
    other_opening: int


def read_segments(
    client: Iterable[Frame], server: Iterable[Frame], *, delay_ns: int = 0, ended_ns: int | None = None
) -> tuple[Segment, ...]:
    """Return the segments of the first connection in the captures of client and server, in the order of sending.

    `ended_ns` is when the captures ended: what was sent less than `delay_ns` before, and did not come, was under way.
    Raises StoreError where no connection was opened.
    """
    seen = {"client": list(tcp_packets(client)), "server": list(tcp_packets(server))}
    opening = next((packet for packet in seen["client"] if packet.flags & SYN), None)
    if opening is None:
        raise StoreError("the captures hold no connection: no SYN was sent")
    one, other = opening.sender, opening.receiver
    up = _way(seen["client"], seen["server"], one, other, up=True)
    down = _way(seen["server"], seen["client"], other, one, up=False)
    last_ns = None if ended_ns is None else ended_ns - delay_ns
    found = [segment for way in (up, down) for segment in _segments(way, opening.time_ns, last_ns)]
    return tuple(sorted(found, key=lambda segment: segment.sent_ns))


def _way(near: Sequence[Packet], far: Sequence[Packet], sender: Endpoint, receiver: Endpoint, *, up: bool) -> _Way:
    sent = [packet for packet in near if (packet.sender, packet.receiver) == (sender, receiver)]
    received = [packet for packet in far if (packet.sender, packet.receiver) == (sender, receiver)]
    back = [packet for packet in near if (packet.sender, packet.receiver) == (receiver, sender)]
    opening = next((packet.sequence for packet in sent if packet.flags & SYN), 0)
    other_opening = next((packet.sequence for packet in back if packet.flags & SYN), 0)
    return _Way(up, sent, received, opening, other_opening)


def _segments(way: _Way, start_ns: int, last_ns: int | None) -> list[Segment]:
    arrivals = _arrivals(way)
    reached = -1
    found = []
    for packet in way.sent:
        received_ns = arrivals.get(id(packet))
        number = (packet.sequence - way.opening) % SEQUENCE_SPACE - 1
        syn, length = bool(packet.flags & SYN), len(packet.payload) + bool(packet.flags & (SYN | FIN))
        fate: Fate = "arrived"
        if received_ns is None:
            fate = "under way" if last_ns is not None and packet.time_ns > last_ns else "lost"
        found.append(
            Segment(
                up=way.up,
                sent_ns=packet.time_ns - start_ns,
                received_ns=None if received_ns is None else received_ns - start_ns,
                fate=fate,
                number=number,
                data=packet.payload,
                acknowledged=_acknowledged(packet, way),
                syn=syn,
                reset=bool(packet.flags & RST),
                repeated=length > 0 and number < reached,
                frame_bytes=len(packet.frame.data),
            )
        )
        reached = max(reached, number + length)
    return found


def _acknowledged(packet: Packet, way: _Way) -> int:
    """Return how many bytes of the other side the packet acknowledges."""
    if packet.acknowledged is None:
        return 0
    return max(0, (packet.acknowledged - way.other_opening) % SEQUENCE_SPACE - 1)


def _arrivals(way: _Way) -> dict[int, int]:
    """Return when each sent packet (by `id`) arrived: by what a packet keeps on its way, else by its bytes."""
    waiting: dict[object, deque[Packet]] = defaultdict(deque)
    for packet in way.received:
        waiting[packet.identity].append(packet)
    found: dict[int, int] = {}
    left = []
    for packet in way.sent:
        queue = waiting[packet.identity]
        if queue:
            found[id(packet)] = queue.popleft().time_ns
        elif packet.payload:
            left.append(packet)
    pieces = [packet for queue in waiting.values() for packet in queue if packet.payload]
    for packet in left if pieces else ():
        time_ns = _last_piece_ns(packet, pieces)
        if time_ns is not None:
            found[id(packet)] = time_ns
    return found


def _last_piece_ns(packet: Packet, pieces: list[Packet]) -> int | None:
    """Take from `pieces` those that a super-packet came in (cut behind the link), or the larger one that it went into.

    Return when the last of its bytes came, None where some did not.
    """
    size = len(packet.payload)
    missing = set(range(size))
    taken: list[Packet] = []
    for piece in sorted(pieces, key=lambda piece: piece.time_ns):
        start = (piece.sequence - packet.sequence + SEQUENCE_SPACE // 2) % SEQUENCE_SPACE - SEQUENCE_SPACE // 2
        covered = missing & set(range(start, start + len(piece.payload)))
        if covered and piece.time_ns >= packet.time_ns:
            missing -= covered
            taken.append(piece)
        if not missing:
            break
    if missing:
        return None
    for piece in taken:
        if len(piece.payload) <= size:
            pieces.remove(piece)
    return taken[-1].time_ns
