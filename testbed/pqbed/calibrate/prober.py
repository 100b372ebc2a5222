"""The sockets of one side of a link, where calibration sends and receives. Standard library only, no raw socket.

It runs where the side's `End` runs, because it looks into that end's netem: a flight that is on the wire is there,
packet by packet, and so is a queue that is full. What it takes is what shaping takes: NET_ADMIN.
"""

import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pqbed.calibrate.measurement import SMALL_PAYLOAD_BYTES
from pqbed.fetch.tcpinfo import read_tcp_info
from pqbed.net.namespace import open_socket

# Below the range that the kernel gives to clients: their ports stay as they would have been.
PORT, CALLING_PORT = 9771, 9772
# A link-local group that nobody joins (RFC 5771: unassigned): its fragments are dropped on arrival, where fragments
# to the other side would wait 30 s for those that were lost, and end in an ICMP message on the measured link.
NOWHERE = ("224.0.0.171", PORT)
LARGEST_DATAGRAM = bytes(65_500)
DATAGRAMS_A_LOOK = 10
FLIGHT_BYTES = bytes(1 << 20)
BUFFER_BYTES = 1 << 25
# Not in Python's socket module: asm-generic/socket.h, linux/in.h.
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_TIMESTAMPNS = 32, 33, 35
IP_MTU_DISCOVER, IP_MTU, IP_PMTUDISC_DONT = 10, 14, 0
SECOND_NS = 1_000_000_000
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
class Came:
    """What came of a train, in the order in which it came. Times in ns; `sent_ns` is CLOCK_REALTIME."""

    numbers: tuple[int, ...] = ()
    sent_ns: tuple[int, ...] = ()
    delays_ns: tuple[int, ...] = ()

    def followed_by(self, other: "Came") -> "Came":
        """Return both as one."""
        return Came(
            numbers=self.numbers + other.numbers,
            sent_ns=self.sent_ns + other.sent_ns,
            delays_ns=self.delays_ns + other.delays_ns,
        )

    def delays(self, before: int) -> dict[int, int]:
        """Return the delays of those with a number below `before`, by number."""
        return {number: delay for number, delay in zip(self.numbers, self.delays_ns, strict=True) if number < before}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """The first flight of a connection, right after it was written.

    `segments` are on the wire, `window` was the congestion window before; `packets` and `packet_bytes` are in netem.
    """

    segments: int
    window: int
    retransmits: int
    packets: int
    packet_bytes: int
    congestion_control: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """`packets` in a queue after `took_ns`. Not `full`: it would have taken more."""

    packets: int
    full: bool
    took_ns: int


class LocalStation:
    """Sockets in the namespace at path `netns` (None: the present one), from `open` until `close`."""

    def __init__(self, netns: str | None, read_queue: ReadQueue) -> None:
        self._netns = netns
        self._read_queue = read_queue
        self._own = self._other = ""
        self._datagrams: socket.socket | None = None
        self._listener: socket.socket | None = None
        self._connection: socket.socket | None = None

    def open(self, own: str, other: str) -> None:
        """Be ready at address `own` for what comes from `other`."""
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
        """Close all sockets. With the link quiet, nothing of them is left on either side."""
        self.hang_up()
        for one in (self._datagrams, self._listener):
            if one is not None:
                one.close()
        self._datagrams = self._listener = None

    def mtu(self) -> int:
        """Return the largest packet that this side sends whole."""
        return self._open().getsockopt(socket.IPPROTO_IP, IP_MTU)

    def send(self, train: Train) -> None:
        """Send a train."""
        send, clock = self._open().send, time.time_ns
        rest = bytes(train.payload_bytes - SMALL_PAYLOAD_BYTES)
        for number in range(train.first, train.first + train.count):
            send(_DATAGRAM.pack(train.number, number, clock()) + rest)
            if train.gap_ns:
                time.sleep(train.gap_ns / SECOND_NS)

    def collect(self, train: Train, wait_ns: int, patience_ns: int) -> Came:
        """Wait `wait_ns`, and for what is still missing until nothing has come for `patience_ns`."""
        time.sleep(wait_ns / SECOND_NS)
        numbers: list[int] = []
        sent: list[int] = []
        delays: list[int] = []
        datagrams = self._open()
        while len(numbers) < train.count:
            try:
                data, extra, _, _ = datagrams.recvmsg(SMALL_PAYLOAD_BYTES, 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                if not select.select([datagrams], [], [], patience_ns / SECOND_NS)[0]:
                    break
                continue
            of_train, number, sent_ns = _DATAGRAM.unpack(data)
            if of_train == train.number:
                seconds, nanoseconds = _TIMESPEC.unpack(extra[0][2])
                numbers.append(number)
                sent.append(sent_ns)
                delays.append(seconds * SECOND_NS + nanoseconds - sent_ns)
        return Came(numbers=tuple(numbers), sent_ns=tuple(sent), delays_ns=tuple(delays))

    def call(self, timeout_ns: int) -> bool:
        """Connect to the other side; return whether that came about."""
        self.hang_up()
        connection = self._connection = self._socket(socket.SOCK_STREAM)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind((self._own, CALLING_PORT))
        connection.settimeout(timeout_ns / SECOND_NS)
        with suppress(OSError):
            connection.connect((self._other, PORT))
            return True
        return False

    def answer(self, timeout_ns: int) -> bool:
        """Take the other side's call; return whether there was one."""
        self.hang_up()
        assert self._listener is not None
        self._listener.settimeout(timeout_ns / SECOND_NS)
        with suppress(OSError):
            self._connection, _ = self._listener.accept()
            return True
        return False

    def flight(self, pause_ns: int) -> Flight:
        """After `pause_ns` write more than fits into the window of the new connection, and look at what went out."""
        connection = self._connection
        assert connection is not None
        time.sleep(pause_ns / SECOND_NS)
        before = read_tcp_info(connection)
        connection.setblocking(False)
        with suppress(BlockingIOError):
            while connection.send(FLIGHT_BYTES):
                pass
        after, (packets, queued_bytes) = read_tcp_info(connection), self._read_queue()
        control = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
        return Flight(
            segments=after.unacked or 0,
            window=before.cwnd or 0,
            retransmits=before.retransmits or 0,
            packets=packets,
            packet_bytes=queued_bytes,
            congestion_control=control.rstrip(b"\0").decode(),
        )

    def hang_up(self) -> None:
        """Reset the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    def fill(self, most: int) -> Filled:
        """Send packets that nobody takes until netem refuses one, or holds `most`."""
        start_ns, held = time.monotonic_ns(), 0
        with self._socket(socket.SOCK_DGRAM) as filler:
            _enlarge(filler)
            filler.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
            filler.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
            filler.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(self._own))
            while True:
                for _ in range(DATAGRAMS_A_LOOK):
                    # Each goes out in fragments of the MTU, a packet of its own to netem. ENOBUFS: refused.
                    with suppress(OSError):
                        filler.sendto(LARGEST_DATAGRAM, NOWHERE)
                now, _ = self._read_queue()
                if now <= held or now >= most:
                    break
                held = now
        held = max(held, now)
        return Filled(packets=held, full=now < most, took_ns=time.monotonic_ns() - start_ns)

    def _open(self) -> socket.socket:
        assert self._datagrams is not None
        return self._datagrams

    def _socket(self, kind: int) -> socket.socket:
        return open_socket(self._netns, socket.AF_INET, kind)


def _enlarge(datagrams: socket.socket) -> None:
    """Have room for a train, beyond what the host allows everyone where we may."""
    for forced, plain in ((SO_RCVBUFFORCE, socket.SO_RCVBUF), (SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        try:
            datagrams.setsockopt(socket.SOL_SOCKET, forced, BUFFER_BYTES)
        except PermissionError:
            datagrams.setsockopt(socket.SOL_SOCKET, plain, BUFFER_BYTES)
