"""TCP packets in Ethernet frames (RFC 791, RFC 9293)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pqbed.net.pcap import Frame

ETHERNET_BYTES = 14
TCP = 6
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


class Endpoint(NamedTuple):
    address: bytes
    port: int


@dataclass(frozen=True)
class Packet:
    """One TCP packet as one end saw it."""

    frame: Frame

    @cached_property
    def tcp_at(self) -> int:
        """Return where the TCP header begins in the frame."""
        return ETHERNET_BYTES + 4 * (self.frame.data[ETHERNET_BYTES] & 15)

    @property
    def time_ns(self) -> int:
        return self.frame.time_ns

    @property
    def sender(self) -> Endpoint:
        return Endpoint(self.frame.data[26:30], self._number(self.tcp_at, 2))

    @property
    def receiver(self) -> Endpoint:
        return Endpoint(self.frame.data[30:34], self._number(self.tcp_at + 2, 2))

    @property
    def sequence(self) -> int:
        return self._number(self.tcp_at + 4, 4)

    @property
    def acknowledged(self) -> int | None:
        return self._number(self.tcp_at + 8, 4) if self.flags & ACK else None

    @property
    def flags(self) -> int:
        return self.frame.data[self.tcp_at + 13]

    @cached_property
    def payload(self) -> bytes:
        start = self.tcp_at + 4 * (self.frame.data[self.tcp_at + 12] >> 4)
        return self.frame.data[start : ETHERNET_BYTES + self._number(ETHERNET_BYTES + 2, 2)]

    @cached_property
    def fingerprint(self) -> tuple[bytes, bytes, bytes, int]:
        """Return what stays the same on the path: not MAC addresses, hop count or checksums, which may be filled in."""
        data, tcp = self.frame.data, self.tcp_at
        options_end = tcp + 4 * (data[tcp + 12] >> 4)
        return data[18:20], data[tcp : tcp + 16], data[tcp + 20 : options_end], len(self.payload)

    def _number(self, start: int, size: int) -> int:
        return int.from_bytes(self.frame.data[start : start + size], "big")


def tcp_packets(frames: Iterable[Frame]) -> Iterator[Packet]:
    """Yield the TCP packets among IPv4 frames."""
    for frame in frames:
        if frame.data[12:14] == b"\x08\x00" and frame.data[ETHERNET_BYTES + 9] == TCP:
            yield Packet(frame)
