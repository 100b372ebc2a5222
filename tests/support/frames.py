"""What passes an interface during one fetch: frames, and the two streams of bytes in them. Standard library only."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

ETH_P_ALL, ETH_P_IP, TCP, OUTGOING = 3, 0x0800, 6, 4
SO_RCVBUFFORCE = 33  # not in Python's socket module
ETHERNET_BYTES = 14
SYN = 0x02


@dataclass(frozen=True)
class Segment:
    """One TCP segment. `number` is that of its first byte of data, `frame_bytes` all that passed the wire."""

    up: bool
    number: int
    data: bytes
    syn: bool
    frame_bytes: int


def listen(ifname: str = "eth0") -> socket.socket:
    """Open a socket that is given every frame of an interface from now on."""
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    capture.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    capture.bind((ifname, ETH_P_ALL))
    capture.setblocking(False)
    return capture


def segments(capture: socket.socket) -> list[Segment]:
    """Return the TCP segments caught so far, in the order in which the interface saw them."""
    return [segment for frame, outgoing in _frames(capture) if (segment := _segment(frame, outgoing)) is not None]


def stream(caught: list[Segment], *, up: bool) -> bytes:
    """Put one direction of a connection together: each byte once, whatever was sent again."""
    (opening,) = {segment.number for segment in caught if segment.up == up and segment.syn}
    whole = bytearray()
    for segment in caught:
        if segment.up == up and segment.data:
            start = (segment.number - opening - 1) % 2**32
            whole.extend(bytes(max(0, start + len(segment.data) - len(whole))))
            whole[start : start + len(segment.data)] = segment.data
    return bytes(whole)


def payload_frame_bytes(caught: list[Segment], *, up: bool) -> int:
    """Return the bytes of all frames that carry data or a SYN: those that the handshake and the transfer wait for."""
    return sum(segment.frame_bytes for segment in caught if segment.up == up and (segment.data or segment.syn))


def flights(caught: list[Segment]) -> tuple[int, ...]:
    """Return how many bytes passed in each flight, the client's first: it ends where the other side has its say."""
    sizes: list[int] = []
    turn = False
    for segment in caught:
        if segment.data:
            if segment.up != turn:
                turn = segment.up
                sizes.append(0)
            sizes[-1] += len(segment.data)
    return tuple(sizes)


def _frames(capture: socket.socket) -> Iterator[tuple[bytes, bool]]:
    while True:
        try:
            frame, address = capture.recvfrom(1 << 16)
        except BlockingIOError:
            return
        yield frame, address[2] == OUTGOING


def _segment(frame: bytes, outgoing: bool) -> Segment | None:
    if struct.unpack_from("!H", frame, 12)[0] != ETH_P_IP or frame[ETHERNET_BYTES + 9] != TCP:
        return None
    ip_bytes = 4 * (frame[ETHERNET_BYTES] & 15)
    (total,) = struct.unpack_from("!H", frame, ETHERNET_BYTES + 2)
    tcp = ETHERNET_BYTES + ip_bytes
    start = tcp + 4 * (frame[tcp + 12] >> 4)
    (number,) = struct.unpack_from("!I", frame, tcp + 4)
    data = frame[start : ETHERNET_BYTES + total]
    return Segment(up=outgoing, number=number, data=data, syn=bool(frame[tcp + 13] & SYN), frame_bytes=len(frame))
