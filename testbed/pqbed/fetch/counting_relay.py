"""Relay for one connection: counts what a client and a server say to each other, and in which order.

Sizes on the wire are exact this way with any client and server, and without any privilege: it needs neither a capture
nor keys. It runs beside the client, on loopback; towards the server it is an ordinary connection.
"""

import contextlib
import select
import socket
import threading
from collections.abc import Iterable
from typing import Self

from pqbed.errors import HostError

LOOPBACK = "127.0.0.1"
READ_BYTES = 65_536
CONNECT_TIMEOUT_S, END_TIMEOUT_S = 10.0, 20.0


# With as many digits as the server's port, which a request names.
PORTS = range(9999, 4999, -1)


class Relay:
    """Forwards one connection to `address`:`port`. A context manager: at its end the connection is closed.

    It listens on `listen_on`, on any port without. `sent` is what the client sent and `received` what the server did.
    `answered_at` is how much the server had sent each time that the client answered it.
    """

    def __init__(self, address: str, port: int, listen_on: int | None = None) -> None:
        self._target = (address, port)
        self._listener = _listen(PORTS if listen_on is None else (listen_on,))
        self._closing, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port: int = self._listener.getsockname()[1]
        self.sent = bytearray()
        self.received = bytearray()
        self.answered_at: list[int] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()
        self._thread.join(END_TIMEOUT_S)
        self._woken.close()
        self._listener.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            if self._woken in select.select([self._listener, self._woken], [], [])[0]:
                return
            client, _ = self._listener.accept()
            with client, socket.create_connection(self._target, CONNECT_TIMEOUT_S) as server:
                self._forward(client, server)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        while True:
            ready = select.select([client, server, self._woken], [], [])[0]
            if self._woken in ready:
                return
            # The server first: what it has sent was not an answer to what the client sends now.
            for source, target, stream in ((server, client, self.received), (client, server, self.sent)):
                if source not in ready:
                    continue
                data = source.recv(READ_BYTES)
                if not data:
                    return
                if source is client and len(self.received) > max(self.answered_at, default=0):
                    self.answered_at.append(len(self.received))
                stream.extend(data)
                target.sendall(data)


def _listen(ports: Iterable[int]) -> socket.socket:
    for port in ports:
        with contextlib.suppress(OSError):
            return socket.create_server((LOOPBACK, port), backlog=1)
    raise HostError("no port is free on loopback")
