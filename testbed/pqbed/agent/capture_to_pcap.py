"""Packet capture at one end of a link, kept as a pcap file."""

import time

from pqbed.net.packet_ring_capture import Capture, Room
from pqbed.net.pcap import write_pcap


class LocalTap:
    """Captures at interface `ifname` in the namespace at path `netns` (None: the present one). Needs NET_RAW."""

    def __init__(self, netns: str | None, ifname: str) -> None:
        self._netns = netns
        self._ifname = ifname
        self._capture: Capture | None = None
        self._pcap = b""

    def begin(self, room: Room) -> None:
        """Start a capture and discard the previous one."""
        self.close()
        self._pcap = b""
        self._capture = Capture(self._netns, self._ifname, room)

    def end(self) -> int:
        """Stop, keep the capture, and return the time, ns. Raises HostError if its room was too small."""
        if self._capture is None:
            raise RuntimeError("begin comes first")
        ended_ns = time.time_ns()
        try:
            self._pcap = write_pcap(self._capture.frames())
        finally:
            self.close()
        return ended_ns

    def pcap(self) -> bytes:
        """Return the capture as a file, once."""
        pcap, self._pcap = self._pcap, b""
        return pcap

    def close(self) -> None:
        """Release the capture's sockets and memory. Safe to call twice."""
        if self._capture is not None:
            self._capture.close()
            self._capture = None
