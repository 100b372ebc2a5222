"""Waits of a sender until a retransmission timer."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from pqbed.trace.segments import Segment

# A sender that reacts to what it receives does so at once; this allows for a busy host on the real clock, and excludes
# the time that RACK waits for a reordered segment on a short path.
AT_ONCE_NS = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """From the last segment that the sender sent or received to a retransmission by timer; ns from the first SYN.

    Linux has three such timers: RTO, the tail loss probe, and RACK's for reordering.
    """

    up: bool
    begin_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        return self.end_ns - self.begin_ns


def find_waits(segments: Sequence[Segment]) -> tuple[Wait, ...]:
    """Return the waits of both sides in the order of their ends."""
    waits = [wait for up in (True, False) for wait in _waits(segments, up=up)]
    return tuple(sorted(waits, key=lambda wait: wait.end_ns))


def _waits(segments: Sequence[Segment], *, up: bool) -> list[Wait]:
    received = sorted(
        segment.received_ns for segment in segments if segment.up != up and segment.received_ns is not None
    )
    waits: list[Wait] = []
    last_sent_ns = 0
    for segment in segments:
        if segment.up != up:
            continue
        before = bisect_right(received, segment.sent_ns)
        begin_ns = max(last_sent_ns, received[before - 1] if before else 0)
        if segment.repeated and segment.sent_ns - begin_ns > AT_ONCE_NS:
            waits.append(Wait(up=up, begin_ns=begin_ns, end_ns=segment.sent_ns))
        last_sent_ns = segment.sent_ns
    return waits
