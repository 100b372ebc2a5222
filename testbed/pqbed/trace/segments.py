"""TCP segments of one connection from the captures of both ends: when sent, when received, or lost."""

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

    `up` is from client to server; `repeated` if some of it had been sent before. `acknowledged` counts the other side's
    bytes. A SYN has `number` -1.
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
        """Return the number of the byte after the last."""
        return self.number + len(self.data)

    @property
    def carries(self) -> bool:
        """Return whether the other side must acknowledge it: it holds data, or is a SYN."""
        return bool(self.data) or self.syn


@dataclass(frozen=True, slots=True)
class _Flow:
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

    `ended_ns` is when the captures ended: a segment sent less than `delay_ns` before and not received was under way.
    Raises StoreError if no connection was opened.
    """
    seen = {"client": list(tcp_packets(client)), "server": list(tcp_packets(server))}
    opening = next((packet for packet in seen["client"] if packet.flags & SYN), None)
    if opening is None:
        raise StoreError("the captures contain no connection: no SYN was sent")
    client_endpoint, server_endpoint = opening.sender, opening.receiver
    up = _direction(seen["client"], seen["server"], client_endpoint, server_endpoint, up=True)
    down = _direction(seen["server"], seen["client"], server_endpoint, client_endpoint, up=False)
    last_ns = None if ended_ns is None else ended_ns - delay_ns
    segments = [segment for direction in (up, down) for segment in _segments(direction, opening.time_ns, last_ns)]
    return tuple(sorted(segments, key=lambda segment: segment.sent_ns))


def _direction(
    near: Sequence[Packet], far: Sequence[Packet], sender: Endpoint, receiver: Endpoint, *, up: bool
) -> _Flow:
    sent = [packet for packet in near if (packet.sender, packet.receiver) == (sender, receiver)]
    received = [packet for packet in far if (packet.sender, packet.receiver) == (sender, receiver)]
    back = [packet for packet in near if (packet.sender, packet.receiver) == (receiver, sender)]
    opening = next((packet.sequence for packet in sent if packet.flags & SYN), 0)
    other_opening = next((packet.sequence for packet in back if packet.flags & SYN), 0)
    return _Flow(up, sent, received, opening, other_opening)


def _segments(direction: _Flow, start_ns: int, last_ns: int | None) -> list[Segment]:
    arrivals = _arrivals(direction)
    reached = -1
    segments = []
    for packet in direction.sent:
        received_ns = arrivals.get(id(packet))
        number = (packet.sequence - direction.opening) % SEQUENCE_SPACE - 1
        syn, length = bool(packet.flags & SYN), len(packet.payload) + bool(packet.flags & (SYN | FIN))
        fate: Fate = "arrived"
        if received_ns is None:
            fate = "under way" if last_ns is not None and packet.time_ns > last_ns else "lost"
        segments.append(
            Segment(
                up=direction.up,
                sent_ns=packet.time_ns - start_ns,
                received_ns=None if received_ns is None else received_ns - start_ns,
                fate=fate,
                number=number,
                data=packet.payload,
                acknowledged=_acknowledged(packet, direction),
                syn=syn,
                reset=bool(packet.flags & RST),
                repeated=length > 0 and number < reached,
                frame_bytes=len(packet.frame.data),
            )
        )
        reached = max(reached, number + length)
    return segments


def _acknowledged(packet: Packet, direction: _Flow) -> int:
    """Return how many bytes of the other side the packet acknowledges."""
    if packet.acknowledged is None:
        return 0
    return max(0, (packet.acknowledged - direction.other_opening) % SEQUENCE_SPACE - 1)


def _arrivals(direction: _Flow) -> dict[int, int]:
    """Return when each sent packet (by `id`) arrived, matched by what stays the same on the path, else by its bytes."""
    waiting: dict[object, deque[Packet]] = defaultdict(deque)
    for packet in direction.received:
        waiting[packet.fingerprint].append(packet)
    arrivals: dict[int, int] = {}
    left = []
    for packet in direction.sent:
        queue = waiting[packet.fingerprint]
        if queue:
            arrivals[id(packet)] = queue.popleft().time_ns
        elif packet.payload:
            left.append(packet)
    pieces = [packet for queue in waiting.values() for packet in queue if packet.payload]
    for packet in left if pieces else ():
        time_ns = _last_piece_ns(packet, pieces)
        if time_ns is not None:
            arrivals[id(packet)] = time_ns
    return arrivals


def _last_piece_ns(packet: Packet, pieces: list[Packet]) -> int | None:
    """Take from `pieces` those that a super-packet arrived in (segmented after the link), or the larger one it became.

    Return when the last of its bytes arrived, None if some did not.
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
