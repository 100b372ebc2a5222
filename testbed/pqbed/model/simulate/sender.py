"""The sending half of an endpoint: congestion window, receive window of the other side, segments in flight.

Follows net/ipv4/tcp_output.c and tcp_cubic.c: the window grows by each segment acknowledged, but only where it was in
use (tcp_cwnd_validate), so a flight of less than half the window leaves it as it was.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from pqbed.model.simulate.hystart import HyStart

# Past HyStart, and before any loss, CUBIC adds a segment for this many acknowledged (tcp_cubic.c, bictcp_update).
ACKS_A_SEGMENT = 20


class InFlight(NamedTuple):
    """A segment in flight: the number of its last byte, and when it was handed to the link."""

    end: int
    at_ns: int


@dataclass(slots=True, kw_only=True)
class SimSender:
    """`window` is the congestion window in segments, `peer_limit` the first byte the receiver has no room for.

    `receiver_waits` counts the times that the receiver's window, not the congestion window, held something back.
    """

    window: int
    mss: int
    peer_limit: int
    queued: deque[int] = field(default_factory=deque)
    in_flight: deque[InFlight] = field(default_factory=deque)
    next_byte: int = 0
    acknowledged: int = 0
    slow_start: bool = True
    receiver_waits: int = 0
    _credit: int = 0
    _limited: bool = False
    _most_out: int = 0
    _usage_end: int = 0
    _hystart: HyStart = field(default_factory=HyStart)

    def write(self, size_bytes: int) -> None:
        """Queue a write; it first fills up a short segment that still waits."""
        rest = size_bytes
        if self.queued and self.queued[-1] < self.mss:
            filled = min(rest, self.mss - self.queued[-1])
            self.queued[-1] += filled
            rest -= filled
        full, short = divmod(rest, self.mss)
        self.queued.extend([self.mss] * full)
        if short:
            self.queued.append(short)

    def release(self, now_ns: int) -> list[int]:
        """Return the sizes of the segments that may leave now."""
        leaving = []
        while self.queued and len(self.in_flight) < self.window and self.next_byte + self.queued[0] <= self.peer_limit:
            size = self.queued.popleft()
            self.next_byte += size
            self.in_flight.append(InFlight(end=self.next_byte, at_ns=now_ns))
            leaving.append(size)
        limited = len(self.in_flight) >= self.window
        if leaving or limited:
            self._note_use(limited)
        self.receiver_waits += bool(self.queued) and not limited
        return leaving

    def note_ack(self, now_ns: int, up_to: int, peer_limit: int) -> None:
        """Take in an acknowledgement, and let the window grow."""
        self.peer_limit = max(self.peer_limit, peer_limit)
        count = 0
        sent_ns = now_ns
        while self.in_flight and self.in_flight[0].end <= up_to:
            sent_ns = self.in_flight.popleft().at_ns
            count += 1
        if not count:
            return
        self.acknowledged = up_to
        if self.slow_start:
            ended = self._hystart.note_ack(now_ns, now_ns - sent_ns, self.window, up_to, self.next_byte)
            self.slow_start = not ended
        self._grow(count)

    def _grow(self, count: int) -> None:
        if not self._limited and not (self.slow_start and self.window < 2 * self._most_out):
            return
        if self.slow_start:
            self.window += count
            return
        self._credit += count
        more, self._credit = divmod(self._credit, ACKS_A_SEGMENT)
        self.window += more

    def _note_use(self, limited: bool) -> None:
        out = len(self.in_flight)
        if self.acknowledged >= self._usage_end or limited or (not self._limited and out > self._most_out):
            self._limited, self._most_out, self._usage_end = limited, out, self.next_byte
