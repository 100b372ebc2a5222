"""Raw connection to a process in a container after an `exec` or `attach` of the Docker SDK: a socket, or ssh.

The SDK returns the socket below the buffered reader with which http.client read the response headers; data that arrived
in the same packet as the headers is still in that reader, and is taken out first.
"""

import contextlib
import os
import select
import socket
import ssl
from typing import Any

from pqbed.beds.docker.engine_interface import ContainerConnection

READ_BYTES = 65536


def open_connection(handle: Any) -> ContainerConnection:
    """Wrap what `APIClient.exec_start(socket=True)` or `attach_socket` returned."""
    # ssh://: the SDK's SSHSocket, whose reader and writer are the pipes of an `ssh` process.
    process = getattr(handle, "proc", None)
    if process is not None:
        return PipeConnection(process)
    connection: socket.socket = getattr(handle, "_sock", handle)
    response = getattr(handle, "_response", None)
    reader = None if response is None else response.raw._fp.fp  # noqa: SLF001 - there is no public way to it
    return SocketConnection(connection, reader, response)


class SocketConnection:
    """unix://, tcp:// and TLS."""

    def __init__(self, connection: socket.socket, reader: Any, response: Any) -> None:
        """`response` owns the connection: it is kept alive, and closed at the end."""
        self._connection = connection
        self._response = response
        self._early = b"" if reader is None else _buffered(connection, reader)

    def read(self, timeout_s: float) -> bytes:
        if self._early:
            early, self._early = self._early, b""
            return early
        # A socket with time-out 0 raises BlockingIOError instead of TimeoutError.
        self._connection.settimeout(max(timeout_s, 0.001))
        return self._connection.recv(READ_BYTES)

    def write(self, data: bytes) -> None:
        self._connection.settimeout(None)
        self._connection.sendall(data)

    def end_input(self) -> None:
        if isinstance(self._connection, ssl.SSLSocket):
            return  # TLS has no half-closed connection: close() ends the input
        self._connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.close()
        if self._response is not None:
            self._response.close()


class PipeConnection:
    """ssh://: `docker system dial-stdio` on the other host."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self._descriptor: int = process.stdout.fileno()
        os.set_blocking(self._descriptor, False)
        self._early: bytes = process.stdout.peek() or b""
        os.set_blocking(self._descriptor, True)

    def read(self, timeout_s: float) -> bytes:
        if self._early:
            early, self._early = self._early, b""
            return early
        if not select.select([self._descriptor], [], [], timeout_s)[0]:
            raise TimeoutError
        return os.read(self._descriptor, READ_BYTES)

    def write(self, data: bytes) -> None:
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def end_input(self) -> None:
        self._process.stdin.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()


def _buffered(connection: socket.socket, reader: Any) -> bytes:
    """Return what `reader` holds already. `peek` reads once from an empty buffer, so the socket must not block."""
    connection.settimeout(0)
    try:
        return bytes(reader.peek() or b"")
    except ssl.SSLWantReadError:
        return b""
    finally:
        connection.settimeout(None)
