"""The receiving half of an endpoint: acknowledgements and the receive window.

Follows net/ipv4/tcp_input.c. The first segments are acknowledged one by one (TCP_MAX_QUICKACKS), later ones when more
than a segment is due or after 40 ms. The window offered grows by two segments for each that came, up to the size of
the buffer, which is enlarged once an RTT by what was read in it (tcp_rcv_space_adjust).
"""

from dataclasses import dataclass

QUICK_ACKS = 16
DELAYED_ACK_NS = 40_000_000
# tcp_rmem of net/sysctls.py: what its default and its maximum hold of full segments, by what those take in memory.
FIRST_WINDOW_BYTES = 64_240
FIRST_ROOM_BYTES = 76_928
LARGEST_ROOM_BYTES = 3_900_000
# A receiver takes no segment shorter than this for a full one (TCP_MSS_DEFAULT).
LEAST_SEGMENT_BYTES = 536
_HEADER_AND_OPTIONS_BYTES = 12


@dataclass(slots=True, kw_only=True)
class SimReceiver:
    """`conversing`: this end has answered with data, and waits to answer with data again (pingpong mode)."""

    mss: int
    received: int = 0
    acknowledged: int = 0
    conversing: bool = False
    window: int = FIRST_WINDOW_BYTES
    room: int = FIRST_ROOM_BYTES
    _quick: int = QUICK_ACKS
    _largest: int = LEAST_SEGMENT_BYTES
    _pushed: int = 0
    _read_in_rtt: int = 0
    _measured: int = 0
    _measured_ns: int = 0

    def __post_init__(self) -> None:
        self._read_in_rtt = 10 * (self.mss + _HEADER_AND_OPTIONS_BYTES)

    @property
    def limit(self) -> int:
        """Return the number of the first byte there is no room for."""
        return self.received + self.window

    def receive(self, now_ns: int, size_bytes: int, rtt_ns: int, *, pushed: bool) -> bool:
        """Take in a segment; return whether it is acknowledged at once."""
        self.received += size_bytes
        self._largest = max(self._largest, min(size_bytes, self.mss))
        self._pushed += pushed
        self._enlarge(now_ns, rtt_ns)
        if size_bytes >= 128:
            self.window += max(0, min(2 * (self.mss + _HEADER_AND_OPTIONS_BYTES), self.room - self.window))
        quick = self._quick > 0 and not self.conversing
        return quick or self.received - self.acknowledged > self._largest or (self._pushed > 1 and self.conversing)

    def note_ack_sent(self) -> None:
        """Note that everything received is acknowledged, by a data segment or by an acknowledgement alone."""
        self._quick = max(0, self._quick - 1)
        self._pushed = 0
        self.acknowledged = self.received

    def _enlarge(self, now_ns: int, rtt_ns: int) -> None:
        if now_ns - self._measured_ns < rtt_ns:
            return
        read = self.received - self._measured
        if read > self._read_in_rtt:
            wanted = 2 * read + 16 * (self.mss + _HEADER_AND_OPTIONS_BYTES)
            wanted += 2 * wanted * (read - self._read_in_rtt) // self._read_in_rtt
            self.room = min(max(self.room, wanted), LARGEST_ROOM_BYTES)
            self._read_in_rtt = read
        self._measured, self._measured_ns = self.received, now_ns
