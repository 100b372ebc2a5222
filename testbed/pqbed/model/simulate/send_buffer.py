"""The send buffer: segments that wait for a window, and when a program may write on.

Follows net/ipv4/tcp.c and net/core/stream.c. The kernel counts the memory of segments, in flight or waiting, not their
bytes. A program that found the buffer full goes on when a third of it is free, in records of its own size: most of them
end in a short segment.
"""

from collections import deque
from dataclasses import dataclass, field

# What a segment takes in memory besides its bytes: struct sk_buff and its head.
SEGMENT_MEMORY_BYTES = 960
# tcp_wmem of net/sysctls.py: its maximum. The buffer has room for twice the congestion window (tcp_sndbuf_expand), and
# for each segment a power of two that holds it with TCP's options, its headers and what the kernel notes of it.
LARGEST_BUFFER_BYTES = 4_194_304
_WINDOW_FACTOR = 2
_OPTION_BYTES, _HEADER_BYTES, _NOTE_BYTES, _BUFFER_BYTES = 12, 320, 320, 256
_LEAST_SEGMENTS = 10


@dataclass(slots=True)
class Waiting:
    """A segment that waits to be sent. `pushed`: a write ended with it."""

    size_bytes: int
    pushed: bool = False


@dataclass(slots=True, kw_only=True)
class SendBuffer:
    """`full`: the program has found no room, and waits to be woken. `largest_window` is that of the receiver, bytes."""

    mss: int
    largest_window: int
    size: int = 0
    full: bool = False
    waiting: deque[Waiting] = field(default_factory=deque)
    _memory: int = 0
    _written: int = 0
    _pushed: int = 0

    def accept(self, size_bytes: int) -> int:
        """Take in as much of a write as there is room for, and return how much; it first fills up a short segment."""
        rest = size_bytes
        if rest and self.waiting and self.waiting[-1].size_bytes < self.mss:
            self.waiting[-1].pushed = False
            rest -= self._fill(rest)
        while rest:
            if self._memory >= self.size:
                self.full = True
                break
            self.waiting.append(Waiting(0))
            self._memory += SEGMENT_MEMORY_BYTES
            rest -= self._fill(rest)
        if rest < size_bytes and self.waiting:
            self._push()
        return size_bytes - rest

    def free(self, size_bytes: int) -> None:
        """Give back the memory of a segment that is acknowledged."""
        self._memory -= size_bytes + SEGMENT_MEMORY_BYTES

    def expand(self, window: int) -> None:
        """Make room for twice a congestion window of so many segments."""
        block = self.mss + _OPTION_BYTES + _HEADER_BYTES + _NOTE_BYTES
        segment_bytes = (1 << (block - 1).bit_length()) + _BUFFER_BYTES
        wanted = _WINDOW_FACTOR * max(window, _LEAST_SEGMENTS) * segment_bytes
        self.size = max(self.size, min(wanted, LARGEST_BUFFER_BYTES))

    def wake(self) -> bool:
        """Tell whether a program that found the buffer full may write on."""
        if self._memory < self.size and self.size - self._memory >= self._memory >> 1:
            self.full = False
            return True
        return False

    def _fill(self, size_bytes: int) -> int:
        last = self.waiting[-1]
        filled = min(size_bytes, self.mss - last.size_bytes)
        last.size_bytes += filled
        self._memory += filled
        self._written += filled
        if last.size_bytes == self.mss and self._written > self._pushed + (self.largest_window >> 1):
            self._push()
        return filled

    def _push(self) -> None:
        self.waiting[-1].pushed = True
        self._pushed = self._written
