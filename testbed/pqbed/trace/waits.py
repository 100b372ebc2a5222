"""Where a sender stood still until a timer ended it."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from pqbed.trace.segments import Segment

# A sender that answers what it hears does so at once; this leaves room for a busy host on a real clock, and leaves out
# what RACK waits for a reordered segment on a short path.
AT_ONCE_NS = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """From the last thing that the sender sent or heard to what it sent again of its own accord; ns from the first SYN.

    Linux has three timers that end so: RTO, the tail loss probe, and RACK's for reordering.
    """

    up: bool
    begin_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        return self.end_ns - self.begin_ns


def find_waits(segments: Sequence[Segment]) -> tuple[Wait, ...]:
    """Return the waits of both sides in the order of their ends."""
    found = [wait for up in (True, False) for wait in _waits(segments, up=up)]
    return tuple(sorted(found, key=lambda wait: wait.end_ns))


def _waits(segments: Sequence[Segment], *, up: bool) -> list[Wait]:
    heard = sorted(one.received_ns for one in segments if one.up != up and one.received_ns is not None)
    found: list[Wait] = []
    last_sent_ns = 0
    for one in segments:
        if one.up != up:
            continue
        before = bisect_right(heard, one.sent_ns)
        begin_ns = max(last_sent_ns, heard[before - 1] if before else 0)
        if one.repeated and one.sent_ns - begin_ns > AT_ONCE_NS:
            found.append(Wait(up=up, begin_ns=begin_ns, end_ns=one.sent_ns))
        last_sent_ns = one.sent_ns
    return found
