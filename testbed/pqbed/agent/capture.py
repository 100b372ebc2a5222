"""Packet capture at one end of a link, kept as a pcap file."""

import time

from pqbed.net.capture import Capture, Room
from pqbed.net.pcap import write_pcap


class LocalTap:
    """Captures at interface `ifname` in the namespace at path `netns` (None: the present one). It takes NET_RAW."""

    def __init__(self, netns: str | None, ifname: str) -> None:
        self._netns = netns
        self._ifname = ifname
        self._capture: Capture | None = None
        self._pcap = b""

    def begin(self, room: Room) -> None:
        """Begin; what was captured before is forgotten."""
        self.close()
        self._pcap = b""
        self._capture = Capture(self._netns, self._ifname, room)

    def end(self) -> int:
        """End, keep what was captured, and return the time, ns. Raises HostError where there was no room for it."""
        if self._capture is None:
            raise RuntimeError("begin comes first")
        ended_ns = time.time_ns()
        try:
            self._pcap = write_pcap(self._capture.frames())
        finally:
            self.close()
        return ended_ns

    def pcap(self) -> bytes:
        """Return what was captured as a file, and forget it."""
        pcap, self._pcap = self._pcap, b""
        return pcap

    def close(self) -> None:
        """Give back what the capture holds. Safe to call twice."""
        if self._capture is not None:
            self._capture.close()
            self._capture = None
