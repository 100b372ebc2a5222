"""The receive window: how much room a receiver offers, and how its buffer grows (net/ipv4/tcp_input.c).

The kernel counts the memory of segments, not their bytes. Room is enlarged by two segments for each that comes, as long
as the buffer has it, and the buffer once per RTT by what was read in it (tcp_rcv_space_adjust).
"""

from bisect import bisect_right
from dataclasses import dataclass

from pqbed.model.simulate.jiffies import stamp_ms
from pqbed.tls.tls_records import HEADER_BYTES

# tcp_rmem of net/sysctls.py: its default and its maximum.
FIRST_BUFFER_BYTES, LARGEST_BUFFER_BYTES = 131_072, 6_291_456
# The part of the buffer that is offered before a full segment has come, in 256ths.
FIRST_RATIO = 128
# What a segment takes in memory besides its bytes, where it is alone: struct sk_buff and its head.
SEGMENT_MEMORY_BYTES = 960
# A receiver takes no segment shorter than this for a full one (TCP_MSS_DEFAULT).
LEAST_SEGMENT_BYTES = 536
# Windows are told in units of this (window scaling by 7).
_UNIT_BYTES = 128
_FIRST_SEGMENTS = 10
# Of segments that are not read yet, the kernel puts some together in the memory of the first.
_GROWS_FROM_BYTES = 128
_LOW_RTT_US = 1_000


@dataclass(slots=True, kw_only=True)
class ReceiveWindow:
    """`offered` is the window of the latest segment sent, from byte `acknowledged`; `unread` bytes wait for a read.

    `full` is the size that the receiver takes for that of a full segment. `records` are the ends of the TLS records in
    the stream, ascending: at the start of one OpenSSL reads all that is there, within one only what is left of it.
    """

    mss: int
    offered: int
    records: tuple[int, ...]
    received: int = 0
    acknowledged: int = 0
    full: int = LEAST_SEGMENT_BYTES
    unread: int = 0
    buffer: int = FIRST_BUFFER_BYTES
    ratio: int = FIRST_RATIO
    room: int = 0
    _memory: int = 0
    _clamp: int = 0
    _rtt: int = 0
    _rtt_end: int = 0
    _rtt_from_ns: int = -1
    _last_echo_ms: int = -1
    _read_in_rtt: int = 0
    _read_from: int = 0
    _read_from_ns: int = 0
    _came_ns: int = 0

    def __post_init__(self) -> None:
        whole = self._window_of(self.buffer)
        self._clamp = max(2 * self.mss, whole - self.mss)
        self.room = min(self.offered, self._clamp)
        self._read_in_rtt = min(self.room, self.offered, _FIRST_SEGMENTS * self.mss)

    @property
    def limit(self) -> int:
        """Return the number of the first byte there is no room for."""
        return self.acknowledged + self.offered

    @property
    def present(self) -> int:
        """Return what is left of the window offered."""
        return max(0, self.limit - self.received)

    @property
    def is_half_used(self) -> bool:
        return 2 * self.present <= self._clamp

    @property
    def free(self) -> int:
        """Return the bytes that the buffer has room for."""
        return self._window_of(self.buffer - self._memory)

    def open(self, now_ns: int) -> None:
        """Note that the connection is established."""
        self._read_from_ns = self._came_ns = now_ns

    def receive(self, now_ns: int, size_bytes: int, echo_ms: int) -> bool:
        """Take in a segment in sequence; return whether room grew."""
        self._came_ns = now_ns
        self._measure_by_echo(now_ns, size_bytes, echo_ms)
        self._memory += size_bytes + (0 if self.unread else SEGMENT_MEMORY_BYTES)
        self.received += size_bytes
        self.unread += size_bytes
        self._measure_full(size_bytes)
        self._measure_by_window(now_ns)
        return size_bytes >= _GROWS_FROM_BYTES and self._grow(size_bytes)

    def note_acknowledgement(self, echo_ms: int) -> None:
        """Note an acknowledgement without data: no RTT is measured by its echo."""
        self._last_echo_ms = echo_ms

    def read(self) -> None:
        """Read all that waits."""
        first = self._first_read()
        self._enlarge(self.received - self.unread + first, self.unread - first)
        self.unread = self._memory = 0

    @property
    def is_crowded(self) -> bool:
        """Tell whether what is not read takes more than half of the buffer."""
        return self.free < min(self._clamp, self._window_of(self.buffer)) >> 1

    def select(self) -> int:
        """Return the window that is to be offered now (__tcp_select_window)."""
        free = self.free
        if self.is_crowded:
            free -= free % _UNIT_BYTES
            if free < self._window_of(self.buffer) >> 4 or free < self.full:
                return 0
        return _aligned(min(free, self.room))

    def offer(self) -> None:
        """Offer it, but never less than what was offered before."""
        self.offered = max(self.select(), _aligned(self.present))
        self.acknowledged = self.received

    def _window_of(self, memory: int) -> int:
        return memory * self.ratio >> 8

    def _grow(self, size_bytes: int) -> bool:
        most = min(self._clamp, self.free) - self.room
        if most <= 0:
            return False
        self.room += min(most, 2 * max(self.mss, size_bytes))
        return True

    def _measure_full(self, size_bytes: int) -> None:
        if size_bytes < self.full or size_bytes == self.full:
            return
        ratio = (size_bytes << 8) // (size_bytes + SEGMENT_MEMORY_BYTES)
        if ratio != self.ratio:
            self.ratio = ratio
            self._clamp = self._window_of(self.buffer)
            self._read_in_rtt = min(self._read_in_rtt, self._clamp)
        self.full = min(size_bytes, self.mss)

    def _measure_by_echo(self, now_ns: int, size_bytes: int, echo_ms: int) -> None:
        if echo_ms == self._last_echo_ms:
            return
        self._last_echo_ms = echo_ms
        rtt_us = (stamp_ms(now_ns) - echo_ms) * 1000
        if size_bytes < self.full or rtt_us <= 0:
            return
        if not self._rtt or rtt_us << 3 < self._rtt:
            self._rtt = rtt_us << 3
        elif not self.unread:
            self._rtt += rtt_us - (self._rtt >> 3)

    def _measure_by_window(self, now_ns: int) -> None:
        """Take the time in which a whole window came for an RTT, if it is shorter."""
        if self._rtt_from_ns >= 0:
            if self.received < self._rtt_end:
                return
            rtt_us = max(1, now_ns // 1000 - self._rtt_from_ns // 1000)
            if not self._rtt or rtt_us << 3 < self._rtt:
                self._rtt = rtt_us << 3
        self._rtt_end, self._rtt_from_ns = self.received + self.offered, now_ns

    def _first_read(self) -> int:
        """Return how much the first of a program's reads takes.

        libcurl and nginx set OpenSSL's read_ahead; during the handshake it reads headers apart all the same.
        """
        position = self.received - self.unread
        if not position:
            return min(self.unread, HEADER_BYTES)
        at = bisect_right(self.records, position)
        begin = self.records[at - 1] if at else 0
        if at == len(self.records) or position < begin + HEADER_BYTES:
            return self.unread
        return min(self.unread, self.records[at] - position)

    def _enlarge(self, position: int, unread: int) -> None:
        """Enlarge the buffer to twice what was read in an RTT, and by its growth (tcp_rcvbuf_grow).

        `position` is the byte up to which a read has come, and `unread` bytes wait behind it.
        """
        if not self._rtt or self._came_ns // 1000 - self._read_from_ns // 1000 < self._rtt >> 3:
            return
        read, before = position - self._read_from - unread, self._read_in_rtt
        if read > before:
            self._read_in_rtt = read
            wanted = read << 1
            rtt_us = self._rtt >> 3
            if rtt_us < _LOW_RTT_US:
                wanted += wanted * rtt_us // _LOW_RTT_US
            else:
                wanted += (wanted << 1) * (read - before) // before
            buffer = min((wanted << 8) // self.ratio, LARGEST_BUFFER_BYTES)
            if buffer > self.buffer:
                self.buffer = buffer
                self._clamp = self._window_of(buffer)
        self._read_from, self._read_from_ns = position, self._came_ns


def _aligned(window: int) -> int:
    return -(-window // _UNIT_BYTES) * _UNIT_BYTES
