"""Cross traffic on a link: one side sends bulk TCP and constant-rate UDP, the other receives and counts it.

One thread a side serves all its sockets. The sender connects, and names its congestion control once it is connected:
the one of the route would be taken otherwise (tcp_ca_dst_init in net/ipv4/tcp_cong.c).
"""

import errno
import selectors
import socket
import struct
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from pqbed.errors import HostError
from pqbed.net.run_in_namespace import open_socket
from pqbed.spec.cross_traffic import Flows
from pqbed.units import NS_PER_S

# Beside the probers' (calibrate/prober.py), below the range that the kernel gives to clients.
PORT = 9773
_CHUNK = bytes(1 << 16)
_DATAGRAM_BYTES = 1200
# Ethernet, IPv4 and UDP headers count at the rate.
_DATAGRAM_BITS = 8 * (_DATAGRAM_BYTES + 14 + 20 + 8)
_RESET_ON_CLOSE = struct.pack("=ii", 1, 0)


class CrossTrafficEnd(Protocol):
    """One side of the cross traffic."""

    def receive(self, own: str) -> None:
        """Accept flows at address `own`."""
        ...

    def send(self, other: str, flows: Sequence[Flows]) -> None:
        """Start flows to address `other`. Raises HostError for a congestion control that the kernel does not have."""
        ...

    def stop(self) -> int:
        """End all flows of this side, and return how many bytes it received. Safe to call if nothing was started.

        With the link quiet, nothing of them is left on either side.
        """
        ...


class LocalCrossTraffic:
    """A `CrossTrafficEnd` in the namespace at path `netns` (None: the present one)."""

    def __init__(self, netns: str | None) -> None:
        self._netns = netns
        self._selector: selectors.BaseSelector | None = None
        self._sockets: list[socket.socket] = []
        self._wake: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._pacers: list[threading.Thread] = []
        self._ended = threading.Event()
        self._received = 0

    def receive(self, own: str) -> None:
        selector = self._begin()
        listener, datagrams = self._open(socket.SOCK_STREAM), self._open(socket.SOCK_DGRAM)
        for each in (listener, datagrams):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind((own, PORT))
        listener.listen(128)
        selector.register(listener, selectors.EVENT_READ, self._accept)
        selector.register(datagrams, selectors.EVENT_READ, self._drain)

    def send(self, other: str, flows: Sequence[Flows]) -> None:
        selector = self._begin()
        for each in flows:
            if each.rate_bps is not None:
                self._pace(other, each.rate_bps)
                continue
            for _ in range(each.count):
                sender = self._open(socket.SOCK_STREAM)
                self._require_control(sender, each.congestion_control)
                if sender.connect_ex((other, PORT)) != errno.EINPROGRESS:
                    raise HostError(f"cross traffic to {other} cannot be started", hint="is the link up?")
                selector.register(sender, selectors.EVENT_WRITE, _Filler(each.congestion_control))
        self._wake_up()

    def stop(self) -> int:
        self._ended.set()
        self._wake_up()
        for thread in (*self._pacers, *([self._thread] if self._thread is not None else [])):
            thread.join()
        for each in self._sockets:
            with suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            each.close()
        if self._selector is not None:
            self._selector.close()
        received, self._received = self._received, 0
        self._selector = self._wake = self._thread = None
        self._sockets, self._pacers = [], []
        return received

    def _begin(self) -> selectors.BaseSelector:
        """Return the selector of this side; its thread is started if it does not run."""
        if self._selector is not None:
            return self._selector
        self._ended.clear()
        self._selector = selectors.DefaultSelector()
        self._wake, woken = socket.socketpair()
        self._sockets += [self._wake, woken]
        self._selector.register(woken, selectors.EVENT_READ, lambda ready: ready.recv(64))
        self._thread = threading.Thread(target=self._serve, args=(self._selector,), daemon=True)
        self._thread.start()
        return self._selector

    def _wake_up(self) -> None:
        if self._wake is not None:
            self._wake.send(b".")

    def _serve(self, selector: selectors.BaseSelector) -> None:
        while not self._ended.is_set():
            for key, _ in selector.select():
                try:
                    key.data(key.fileobj)
                except BlockingIOError:
                    continue
                except OSError:  # the flow has ended: what arrived of it is counted where it was to arrive
                    selector.unregister(key.fileobj)

    def _accept(self, listener: socket.socket) -> None:
        accepted, _ = listener.accept()
        accepted.setblocking(False)
        self._sockets.append(accepted)
        if self._selector is not None:
            self._selector.register(accepted, selectors.EVENT_READ, self._drain)

    def _drain(self, receiver: socket.socket) -> None:
        data = receiver.recv(len(_CHUNK))
        if not data and receiver.type == socket.SOCK_STREAM:
            raise ConnectionResetError
        self._received += len(data)

    def _pace(self, other: str, rate_bps: int) -> None:
        sender = self._open(socket.SOCK_DGRAM)
        sender.connect((other, PORT))
        pacer = threading.Thread(target=self._send_datagrams, args=(sender, rate_bps), daemon=True)
        self._pacers.append(pacer)
        pacer.start()

    def _send_datagrams(self, sender: socket.socket, rate_bps: int) -> None:
        start_ns, sent = time.monotonic_ns(), 0
        while not self._ended.is_set():
            with suppress(OSError):  # a full queue of its own interface loses it
                sender.send(_CHUNK[:_DATAGRAM_BYTES])
            sent += 1
            left_ns = start_ns + sent * _DATAGRAM_BITS * NS_PER_S // rate_bps - time.monotonic_ns()
            if left_ns > 0 and self._ended.wait(left_ns / NS_PER_S):
                return

    def _open(self, kind: int) -> socket.socket:
        opened = open_socket(self._netns, socket.AF_INET, kind)
        opened.setblocking(False)
        self._sockets.append(opened)
        return opened

    @staticmethod
    def _require_control(sender: socket.socket, name: str) -> None:
        try:
            sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
        except OSError as error:
            raise HostError(
                f"cross traffic with congestion control {name} cannot be sent: {error.strerror}",
                hint="sysctl net.ipv4.tcp_available_congestion_control names what this kernel has",
            ) from None


class _Filler:
    """Keeps the send buffer of one flow full."""

    def __init__(self, control: str) -> None:
        self._control: str | None = control

    def __call__(self, sender: socket.socket) -> None:
        if self._control is not None:
            failed = sender.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise OSError(failed, "connect")
            sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, self._control.encode())
            self._control = None
        sender.send(_CHUNK)
