"""Lines of a process in a container, from the engine's multiplexed stream.

Each frame: 1 byte stream (1 output, 2 errors), 3 bytes zero, 4 bytes length, big-endian; then the data
(Engine API, "Attach to a container"). Frames do not align with lines; this module reassembles both.
"""

import collections
import contextlib
import struct
import time

from pqbed.beds.docker.engine_interface import ContainerConnection
from pqbed.errors import LaneError

OUTPUT = 1
ERRORS = 2
END_TIMEOUT_S = 5.0
KEPT_BYTES = 600

_HEADER = struct.Struct(">BxxxL")


class Demultiplexer:
    """Takes bytes as they arrive, returns complete frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return the frames that `data` completes, as (stream, payload)."""
        self._rest += data
        frames: list[tuple[int, bytes]] = []
        while len(self._rest) >= _HEADER.size:
            stream, length = _HEADER.unpack_from(self._rest)
            end = _HEADER.size + length
            if len(self._rest) < end:
                break
            frames.append((stream, self._rest[_HEADER.size : end]))
            self._rest = self._rest[end:]
        return frames


class ContainerProcess:
    """A `LaneProcess` (beds/lane_process.py) in a container. Owns the connection."""

    def __init__(self, connection: ContainerConnection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._frames = Demultiplexer()
        self._lines: collections.deque[bytes] = collections.deque()
        self._rest = b""
        self._errors = b""
        self._closed = False

    def write(self, text: str) -> None:
        self._connection.write(text.encode())

    def readline(self, timeout_s: float) -> str:
        """Return the next line, "" at the end. Raises LaneError if none comes in time."""
        deadline = time.monotonic() + timeout_s
        while not self._lines:
            try:
                data = self._connection.read(max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                raise LaneError(f"{self._name} sent nothing for {timeout_s:.0f} s") from None
            except OSError:
                return ""
            if not data:
                return ""
            self._take(data)
        return self._lines.popleft().decode(errors="replace") + "\n"

    def was_stopped(self) -> bool:
        """Return False: an engine does not say so of a container that runs again."""
        return False

    def last_words(self) -> str:
        return self._errors.decode(errors="replace").strip()

    def close(self) -> None:
        """Close its input and wait briefly for its end, so that its ports are free for the next."""
        if self._closed:
            return
        self._closed = True
        deadline = time.monotonic() + END_TIMEOUT_S
        with contextlib.suppress(OSError):
            self._connection.end_input()
            while left_s := max(0.0, deadline - time.monotonic()):
                if not self._connection.read(left_s):
                    break
        self._connection.close()

    def _take(self, data: bytes) -> None:
        for stream, payload in self._frames.feed(data):
            if stream == OUTPUT:
                *whole, self._rest = (self._rest + payload).split(b"\n")
                self._lines.extend(whole)
            else:
                self._errors = (self._errors + payload)[-KEPT_BYTES:]
