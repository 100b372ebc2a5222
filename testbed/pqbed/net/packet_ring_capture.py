"""Packet capture at one interface, in a ring filled by the kernel (PACKET_RX_RING, packet(7)).

Nothing is read during a fetch, so the capture costs the fetch nothing; and unlike a socket's buffer a ring may be large
without NET_ADMIN. It needs NET_RAW. Times are those of the kernel's clock, in ns.
"""

import mmap
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pqbed.errors import HostError
from pqbed.net.pcap import Frame
from pqbed.net.run_in_namespace import open_socket, run_in
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES
from pqbed.units import NS_PER_S

# The device that gets a copy of what the interface sends (mirror.py).
MIRROR = "pqbed-sent"
ETH_P_ALL, ETH_P_IP = 0x0003, 0x0800
# include/uapi/linux/if_packet.h
_SOL_PACKET = 263
_RX_RING, _STATISTICS, _VERSION, _IGNORE_OUTGOING = 5, 6, 10, 23
_VERSION_2 = 1
_TO_USER, _COPIED = 1, 2
_HOST, _OUTGOING = 0, 4
# Of sll_pkttype, in the sockaddr_ll behind tpacket2_hdr.
_KIND_AT = 32 + 10
# tp_status, tp_len, tp_snaplen, tp_mac, tp_net, tp_sec, tp_nsec
_SLOT = struct.Struct("=IIIHHII")
_STATISTIC = struct.Struct("=II")
# In front of a frame in its slot: tpacket2_hdr, sockaddr_ll, alignment.
_SLOT_HEAD_BYTES = 96
# There are four rings in a guest, whose memory is 512 MB in all.
_LARGEST_RING_BYTES = 24 << 20
# Two slots of this fit a page, and a frame of the usual MTU fits it.
_SMALL_SLOT_BYTES = 2048
# A super-packet: the largest length of IP.
_SUPER_PACKET_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Capacity of a capture: `frames` of up to `frame_bytes` in each ring."""

    frames: int
    frame_bytes: int

    @property
    def slot_bytes(self) -> int:
        """Return the size of a slot: half a page, or whole pages."""
        least = self.frame_bytes + _SLOT_HEAD_BYTES
        return _SMALL_SLOT_BYTES if least <= _SMALL_SLOT_BYTES else -(-least // mmap.PAGESIZE) * mmap.PAGESIZE

    @property
    def slots(self) -> int:
        """Return how many slots a ring has: an even number, as far as memory allows."""
        return 2 * max(1, min(self.frames, _LARGEST_RING_BYTES // self.slot_bytes) // 2)


def room_for(size_bytes: int, mtu: int, *, super_packets: bool) -> Room:
    """Return ample room for one fetch of `size_bytes` with its retransmits, as far as memory allows."""
    frame_bytes = _SUPER_PACKET_BYTES if super_packets else mtu
    return Room(frames=512 + 3 * size_bytes // mtu, frame_bytes=frame_bytes + ETHERNET_HEADER_BYTES)


class Ring:
    """The packets that one interface receives for its own address, or all of the mirror's. Owns a socket and a ring."""

    def __init__(self, netns: str | None, ifname: str, room: Room) -> None:
        """Start capturing. Raises HostError without NET_RAW, or if there is no such interface."""
        self._room = room
        try:
            self._socket = open_socket(netns, socket.AF_PACKET, socket.SOCK_RAW, 0)
        except PermissionError:
            raise HostError("packets may not be captured", hint="this needs NET_RAW: run as root") from None
        try:
            run_in(netns, lambda: self._begin(ifname))
        except OSError as error:
            self._socket.close()
            raise HostError(f"{ifname} cannot be captured: {error.strerror}") from error

    def frames(self) -> Iterator[Frame]:
        """Yield the IPv4 frames captured so far. Raises HostError if one was lost because the ring was full."""
        _, dropped = _STATISTIC.unpack(self._socket.getsockopt(_SOL_PACKET, _STATISTICS, _STATISTIC.size))
        if dropped:
            raise HostError(f"the capture had no room for {dropped} packets", hint="trace a smaller --size")
        slot_bytes = self._room.slot_bytes
        for start in range(0, self._room.slots * slot_bytes, slot_bytes):
            status, _, held, frame_at, _, seconds, rest_ns = _SLOT.unpack_from(self._ring, start)
            if not status & _TO_USER:
                return
            data = self._ring[start + frame_at : start + frame_at + held]
            if status & _COPIED:
                raise HostError(f"the capture had no room for a packet of more than {held} bytes")
            # A bridge floods frames for addresses it has not learned: those have not arrived at this interface.
            ours = self._ring[start + _KIND_AT] in (_HOST, _OUTGOING)
            if ours and int.from_bytes(data[12:14], "big") == ETH_P_IP:
                yield Frame(time_ns=seconds * NS_PER_S + rest_ns, data=data)

    def close(self) -> None:
        """Stop, and free the memory."""
        self._ring.close()
        self._socket.close()

    def _begin(self, ifname: str) -> None:
        slot_bytes, slots = self._room.slot_bytes, self._room.slots
        block_bytes = max(slot_bytes, mmap.PAGESIZE)
        blocks = slots * slot_bytes // block_bytes
        self._socket.setsockopt(_SOL_PACKET, _VERSION, _VERSION_2)
        self._socket.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, int(ifname != MIRROR))
        self._socket.setsockopt(_SOL_PACKET, _RX_RING, struct.pack("=IIII", block_bytes, blocks, slot_bytes, slots))
        self._ring = mmap.mmap(self._socket.fileno(), blocks * block_bytes)
        self._socket.bind((ifname, ETH_P_ALL))


class Capture:
    """Both directions at one end of a link, each packet at the time it is sent or received.

    An `EgressMirror` must copy what the interface sends.
    """

    def __init__(self, netns: str | None, ifname: str, room: Room) -> None:
        self._sent = Ring(netns, MIRROR, room)
        try:
            self._received = Ring(netns, ifname, room)
        except BaseException:
            self._sent.close()
            raise

    def frames(self) -> list[Frame]:
        """Return the frames captured so far, in the order of time.

        A virtual clock stands still while a packet is answered: of equal times, received frames precede sent ones.
        """
        return sorted([*self._received.frames(), *self._sent.frames()], key=lambda frame: frame.time_ns)

    def close(self) -> None:
        """Stop both rings."""
        self._sent.close()
        self._received.close()
