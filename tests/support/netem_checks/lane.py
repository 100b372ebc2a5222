"""Two namespaces joined by a veth pair, and datagrams that measure what the link does to each packet."""

import socket
import subprocess
import time
from contextlib import suppress

from pqbed.net import sysctls
from pqbed.net.addresses import IFNAME
from pqbed.net.run_in_namespace import open_socket
from pqbed.net.shaped_interface import ShapedInterface
from pqbed.net.veth_pair import create_link
from support.netem_checks.check import require

CLIENT, SERVER = "/var/run/netns/client", "/var/run/netns/server"
PORT = 9
SO_RCVBUFFORCE = 33  # not in Python's socket module


class Lane:
    """A veth pair with a ShapedInterface and a datagram socket on each side."""

    def __init__(self) -> None:
        for name in ("client", "server"):
            subprocess.run(["ip", "netns", "add", name], check=True)
        self.plan = create_link(3, CLIENT, SERVER)
        for namespace in (CLIENT, SERVER):
            sysctls.pin(namespace)
        self.client = ShapedInterface(CLIENT, IFNAME)
        self.server = ShapedInterface(SERVER, IFNAME)
        self.sender = open_socket(CLIENT, socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver = open_socket(SERVER, socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.bind((self.plan.server.address, PORT))
        self.receiver.settimeout(0.5)

    def delays(self, packets: int, size: int = 100) -> list[int | None]:
        """Send numbered datagrams, each when the last has come or is lost; return their delays."""
        # The first packet right after shaping comes up to 0.6 ms late: work the kernel puts off to its next ticks.
        time.sleep(0.05)
        found: list[int | None] = []
        for number in range(packets):
            sent = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            self.sender.sendto(number.to_bytes(4, "big").ljust(size, b"\0"), (self.plan.server.address, PORT))
            try:
                data = self.receiver.recv(2048)
            except TimeoutError:
                found.append(None)
                continue
            found.append(time.clock_gettime_ns(time.CLOCK_MONOTONIC) - sent)
            require(int.from_bytes(data[:4], "big") == number, "datagrams came out of order")
        return found


def largest_frame(lane: Lane) -> int:
    """Send 300 kB from server to client and return the largest frame seen on the server's interface."""
    capture = open_socket(SERVER, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    capture.bind((IFNAME, 3))
    capture.settimeout(0)
    capture.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
    listener = open_socket(SERVER, socket.AF_INET, socket.SOCK_STREAM)
    listener.bind((lane.plan.server.address, 0))
    listener.listen()
    reader = open_socket(CLIENT, socket.AF_INET, socket.SOCK_STREAM)
    reader.connect(listener.getsockname())
    writer, _ = listener.accept()
    writer.setblocking(False)
    left, came, seen = 300_000, 0, 0
    while came < 300_000:
        with suppress(BlockingIOError):
            left -= writer.send(bytes(left)) if left else 0
        came += len(reader.recv(65536))
        seen = max(seen, drained(capture))
    for used in (capture, listener, reader, writer):
        used.close()
    return seen


def drained(capture: socket.socket) -> int:
    """Return the size of the largest frame waiting."""
    largest = 0
    while True:
        try:
            largest = max(largest, capture.recv_into(bytearray(1), 0, socket.MSG_TRUNC))
        except BlockingIOError:
            return largest
