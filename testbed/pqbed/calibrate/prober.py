"""Measuring sockets of one side of a link, used by calibration. Standard library only, no raw sockets.

A prober runs beside the interface that shapes its side because it reads that interface's netem: packets on the wire and
packets in the queue are both counted there. It needs the privilege that shaping needs: NET_ADMIN.
"""

import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from pqbed.calibrate.measurement import SMALL_PAYLOAD_BYTES
from pqbed.fetch.tcp_info import read_tcp_info
from pqbed.net.run_in_namespace import open_socket
from pqbed.units import NS_PER_S

# Below the range that the kernel gives to clients: their ports stay as they would have been.
PORT, CONNECTING_PORT = 9771, 9772
# A link-local group that nobody joins (RFC 5771: unassigned): its fragments are dropped on arrival. Fragments to the
# other side would wait 30 s for lost ones, and then cause an ICMP message on the measured link.
UNJOINED_GROUP = ("224.0.0.171", PORT)
LARGEST_DATAGRAM = bytes(65_500)
DATAGRAMS_PER_LOOK = 10
FLIGHT_BYTES = bytes(1 << 20)
BUFFER_BYTES = 1 << 25
# Not in Python's socket module: asm-generic/socket.h, linux/in.h.
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_TIMESTAMPNS = 32, 33, 35
IP_MTU_DISCOVER, IP_MTU, IP_PMTUDISC_DONT = 10, 14, 0
# Train and number of a datagram, and when it was sent (CLOCK_REALTIME, ns).
_DATAGRAM = struct.Struct("=IIq")
_TIMESPEC = struct.Struct("=qq")

# How many packets are in the end's netem, and their bytes.
ReadQueue = Callable[[], tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """`count` datagrams of `payload_bytes`, numbered from `first` on, `gap_ns` apart; 0: back to back."""

    number: int
    count: int
    payload_bytes: int
    gap_ns: int = 0
    first: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """The datagrams of a train that arrived, in order of arrival. Times in ns; `sent_ns` is CLOCK_REALTIME."""

    numbers: tuple[int, ...] = ()
    sent_ns: tuple[int, ...] = ()
    delays_ns: tuple[int, ...] = ()

    def followed_by(self, other: "Arrivals") -> "Arrivals":
        """Return both sets of arrivals as one."""
        return Arrivals(
            numbers=self.numbers + other.numbers,
            sent_ns=self.sent_ns + other.sent_ns,
            delays_ns=self.delays_ns + other.delays_ns,
        )

    def delays(self, before: int) -> dict[int, int]:
        """Return the delays of datagrams numbered below `before`, by number."""
        return {number: delay for number, delay in zip(self.numbers, self.delays_ns, strict=True) if number < before}


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFlight:
    """The first flight of a connection, right after it was written.

    `segments` are unacknowledged, `window` was the congestion window before, both in segments; `packets` and
    `packet_bytes` are held by netem.
    """

    segments: int
    window: int
    retransmits: int
    packets: int
    packet_bytes: int
    congestion_control: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFill:
    """`packets` that a queue held after `took_ns`; unless `full`, it would have taken more."""

    packets: int
    full: bool
    took_ns: int


class Prober(Protocol):
    """The measuring sockets of one side, in this process or behind an RPC client."""

    def open(self, own: str, other: str) -> None:
        """Open the sockets at address `own` for traffic with `other`."""
        ...

    def close(self) -> None:
        """Close all sockets. With the link quiet, nothing of them is left on either side."""
        ...

    def mtu(self) -> int:
        """Return the largest packet that this side sends unfragmented, bytes."""
        ...

    def send(self, train: Train) -> None:
        """Send the datagrams of a train."""
        ...

    def collect(self, train: Train, wait_ns: int, patience_ns: int) -> Arrivals:
        """Wait `wait_ns`, then receive until the train is complete or nothing has arrived for `patience_ns`."""
        ...

    def connect(self, timeout_ns: int) -> bool:
        """Connect to the other side; return whether that succeeded."""
        ...

    def accept(self, timeout_ns: int) -> bool:
        """Accept the other side's connection; return whether there was one."""
        ...

    def send_first_flight(self, pause_ns: int) -> FirstFlight:
        """After `pause_ns` write more than the window of the new connection takes, and return what was sent."""
        ...

    def reset(self) -> None:
        """Reset the connection, if there is one."""
        ...

    def fill_queue(self, most: int) -> QueueFill:
        """Send packets that nobody receives until netem refuses one or holds `most`."""
        ...


class LocalProber:
    """Sockets in the namespace at path `netns` (None: the present one), from `open` until `close`.

    `read_queue` reads the netem of this side's interface.
    """

    def __init__(self, netns: str | None, read_queue: ReadQueue) -> None:
        self._netns = netns
        self._read_queue = read_queue
        self._own = self._other = ""
        self._datagrams: socket.socket | None = None
        self._listener: socket.socket | None = None
        self._connection: socket.socket | None = None

    def open(self, own: str, other: str) -> None:
        self.close()
        self._own, self._other = own, other
        self._datagrams = self._socket(socket.SOCK_DGRAM)
        _enlarge(self._datagrams)
        self._datagrams.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._datagrams.bind((own, PORT))
        self._datagrams.connect((other, PORT))
        self._listener = self._socket(socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((own, PORT))
        self._listener.listen(1)

    def close(self) -> None:
        self.reset()
        for closing in (self._datagrams, self._listener):
            if closing is not None:
                closing.close()
        self._datagrams = self._listener = None

    def mtu(self) -> int:
        return self._open().getsockopt(socket.IPPROTO_IP, IP_MTU)

    def send(self, train: Train) -> None:
        send, clock = self._open().send, time.time_ns
        rest = bytes(train.payload_bytes - SMALL_PAYLOAD_BYTES)
        for number in range(train.first, train.first + train.count):
            send(_DATAGRAM.pack(train.number, number, clock()) + rest)
            if train.gap_ns:
                time.sleep(train.gap_ns / NS_PER_S)

    def collect(self, train: Train, wait_ns: int, patience_ns: int) -> Arrivals:
        time.sleep(wait_ns / NS_PER_S)
        numbers: list[int] = []
        sent: list[int] = []
        delays: list[int] = []
        datagrams = self._open()
        different: set[int] = set()
        while len(different) < train.count:
            try:
                data, extra, _, _ = datagrams.recvmsg(SMALL_PAYLOAD_BYTES, 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                if not select.select([datagrams], [], [], patience_ns / NS_PER_S)[0]:
                    break
                continue
            of_train, number, sent_ns = _DATAGRAM.unpack(data)
            if of_train == train.number:
                seconds, nanoseconds = _TIMESPEC.unpack(extra[0][2])
                different.add(number)
                numbers.append(number)
                sent.append(sent_ns)
                delays.append(seconds * NS_PER_S + nanoseconds - sent_ns)
        return Arrivals(numbers=tuple(numbers), sent_ns=tuple(sent), delays_ns=tuple(delays))

    def connect(self, timeout_ns: int) -> bool:
        self.reset()
        connection = self._connection = self._socket(socket.SOCK_STREAM)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind((self._own, CONNECTING_PORT))
        connection.settimeout(timeout_ns / NS_PER_S)
        with suppress(OSError):
            connection.connect((self._other, PORT))
            return True
        return False

    def accept(self, timeout_ns: int) -> bool:
        self.reset()
        assert self._listener is not None
        self._listener.settimeout(timeout_ns / NS_PER_S)
        with suppress(OSError):
            self._connection, _ = self._listener.accept()
            return True
        return False

    def send_first_flight(self, pause_ns: int) -> FirstFlight:
        connection = self._connection
        assert connection is not None
        time.sleep(pause_ns / NS_PER_S)
        before = read_tcp_info(connection)
        connection.setblocking(False)
        with suppress(BlockingIOError):
            while connection.send(FLIGHT_BYTES):
                pass
        after, (packets, queued_bytes) = read_tcp_info(connection), self._read_queue()
        control = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
        return FirstFlight(
            segments=after.unacked or 0,
            window=before.cwnd or 0,
            retransmits=before.retransmits or 0,
            packets=packets,
            packet_bytes=queued_bytes,
            congestion_control=control.rstrip(b"\0").decode(),
        )

    def reset(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    def fill_queue(self, most: int) -> QueueFill:
        start_ns, held = time.monotonic_ns(), 0
        with self._socket(socket.SOCK_DGRAM) as filler:
            _enlarge(filler)
            filler.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
            filler.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
            filler.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(self._own))
            while True:
                for _ in range(DATAGRAMS_PER_LOOK):
                    # Each goes out in fragments of the MTU, a packet of its own to netem. ENOBUFS: refused.
                    with suppress(OSError):
                        filler.sendto(LARGEST_DATAGRAM, UNJOINED_GROUP)
                now, _ = self._read_queue()
                if now <= held or now >= most:
                    break
                held = now
        held = max(held, now)
        return QueueFill(packets=held, full=now < most, took_ns=time.monotonic_ns() - start_ns)

    def _open(self) -> socket.socket:
        assert self._datagrams is not None
        return self._datagrams

    def _socket(self, kind: int) -> socket.socket:
        return open_socket(self._netns, socket.AF_INET, kind)


def _enlarge(datagrams: socket.socket) -> None:
    """Make the socket buffers large enough for a train, above the host's limits if we have the privilege."""
    for forced, plain in ((SO_RCVBUFFORCE, socket.SO_RCVBUF), (SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        try:
            datagrams.setsockopt(socket.SOL_SOCKET, forced, BUFFER_BYTES)
        except PermissionError:
            datagrams.setsockopt(socket.SOL_SOCKET, plain, BUFFER_BYTES)
