"""Capture files: classic pcap with nanoseconds (draft-ietf-opsawg-pcap), which Wireshark, tshark and tcpdump read."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pqbed.units import NS_PER_S

MAGIC_NS = 0xA1B23C4D
ETHERNET = 1
# The largest packet that a file may hold; what tcpdump writes.
SNAP_BYTES = 262_144

_FILE = struct.Struct("<IHHiIII")
_PACKET = struct.Struct("<IIII")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame from its Ethernet header on, and when it was seen: ns since 1970 on the clock of its kernel."""

    time_ns: int
    data: bytes


def write_pcap(frames: Iterable[Frame]) -> bytes:
    """Return the file that holds `frames` in their order."""
    parts = [_FILE.pack(MAGIC_NS, 2, 4, 0, 0, SNAP_BYTES, ETHERNET)]
    for frame in frames:
        seconds, rest_ns = divmod(frame.time_ns, NS_PER_S)
        parts += [_PACKET.pack(seconds, rest_ns, len(frame.data), len(frame.data)), frame.data]
    return b"".join(parts)


def read_pcap(content: bytes) -> Iterator[Frame]:
    """Yield the frames of a file written by `write_pcap`. Raises ValueError if it is another file, or truncated."""
    if len(content) < _FILE.size or _FILE.unpack_from(content)[::6] != (MAGIC_NS, ETHERNET):
        raise ValueError("this is no pcap file of Ethernet frames with nanoseconds")
    start = _FILE.size
    while start < len(content):
        if start + _PACKET.size > len(content):
            raise ValueError(f"the file ends within the header of the packet at {start}")
        seconds, rest_ns, held, _ = _PACKET.unpack_from(content, start)
        start += _PACKET.size
        if start + held > len(content):
            raise ValueError(f"the file ends within the packet at {start}")
        yield Frame(time_ns=seconds * NS_PER_S + rest_ns, data=content[start : start + held])
        start += held
