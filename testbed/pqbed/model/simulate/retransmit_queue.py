"""Segments in flight, and which of them are taken for lost: RACK (RFC 8985, net/ipv4/tcp_recovery.c)."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from pqbed.model.simulate.rtt import RttEstimator
from pqbed.model.simulate.segment import Unacknowledged


@dataclass(slots=True)
class Rack:
    """The latest segment known to have arrived: when it was sent, its last byte, and its RTT in us."""

    sent_us: int = -1
    end: int = -1
    rtt_us: int = 0
    advanced: bool = False

    def is_later(self, sent_us: int, end: int) -> bool:
        """Tell whether it was sent after a segment that was sent at `sent_us` and ends with `end`."""
        return self.sent_us > sent_us or (self.sent_us == sent_us and self.end > end)


@dataclass(slots=True)
class RetransmitQueue:
    """`lost` and `resent` count the segments that are marked so."""

    segments: deque[Unacknowledged] = field(default_factory=deque)
    lost: int = 0
    resent: int = 0
    rack: Rack = field(default_factory=Rack)
    reordering_seen: bool = False

    def __bool__(self) -> bool:
        return bool(self.segments)

    def __len__(self) -> int:
        return len(self.segments)

    def __iter__(self) -> Iterator[Unacknowledged]:
        return iter(self.segments)

    @property
    def head(self) -> Unacknowledged:
        return self.segments[0]

    @property
    def in_flight(self) -> int:
        """Return how many segments the network is taken to hold."""
        return len(self.segments) - self.lost + self.resent

    @property
    def has_repeats(self) -> bool:
        """Tell whether something of what is next to be acknowledged was sent again."""
        return self.resent > 0 or (bool(self.segments) and self.segments[0].repeated)

    def take_acknowledged(self, up_to: int) -> list[Unacknowledged]:
        """Remove the segments before byte `up_to` and return them."""
        removed = []
        while self.segments and self.segments[0].end <= up_to:
            segment = self.segments.popleft()
            self.lost -= segment.lost
            self.resent -= segment.resent
            removed.append(segment)
        return removed

    def advance(self, now_us: int, segment: Unacknowledged, shortest_us: int) -> None:
        """Note that `segment` has arrived."""
        sent_us = segment.sent_ns // 1000
        rtt_us = now_us - sent_us
        if segment.repeated and rtt_us < shortest_us:
            return
        rack = self.rack
        rack.advanced, rack.rtt_us = True, rtt_us
        if not rack.is_later(sent_us, segment.end):
            rack.sent_us, rack.end = sent_us, segment.end

    def mark_lost(self, segment: Unacknowledged) -> None:
        if not segment.lost:
            segment.lost = True
            self.lost += 1
        elif segment.resent:
            segment.resent = False
            self.resent -= 1

    def unmark_lost(self) -> None:
        for segment in self.segments:
            segment.lost = False
        self.lost = 0

    def mark_at_timeout(self, now_us: int) -> None:
        """Mark the first segment lost, and those that have been in flight for longer than the latest RTT."""
        for segment in self.segments:
            if segment is self.segments[0] or self.rack.rtt_us <= now_us - segment.sent_ns // 1000:
                self.mark_lost(segment)

    def mark_overtaken(self, now_us: int, rtt: RttEstimator, *, recovering: bool) -> int:
        """Mark lost what was sent well before something that has arrived; return in how many us to look again."""
        window_us = min(rtt.shortest >> 2, rtt.srtt_us) if self.reordering_seen or not recovering else 0
        again_us = 0
        for segment in sorted(self.segments, key=lambda one: one.sent_ns):
            if segment.lost and not segment.resent:
                continue
            sent_us = segment.sent_ns // 1000
            if not self.rack.is_later(sent_us, segment.end):
                break
            remaining_us = self.rack.rtt_us + window_us - (now_us - sent_us)
            if remaining_us <= 0:
                self.mark_lost(segment)
            else:
                again_us = max(again_us, remaining_us)
        return again_us

    def merge(self, first: Unacknowledged, now_ns: int, room_bytes: int) -> None:
        """Let `first`, which is about to be sent again, take in those behind it that fit (tcp_retrans_collapse)."""
        if first.in_host_until_ns > now_ns:
            return
        room_bytes -= first.end - first.number
        at = self.segments.index(first) + 1
        while at < len(self.segments):
            following = self.segments[at]
            room_bytes -= following.end - following.number
            if room_bytes < 0 or following.in_host_until_ns > now_ns:
                return
            first.end, first.pushed = following.end, first.pushed or following.pushed
            first.repeated |= following.repeated
            self.lost -= following.lost
            self.resent -= following.resent
            del self.segments[at]
