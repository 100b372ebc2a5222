"""Time scale of the flow diagram: linear, with marked cuts through long stretches. Pure."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pqbed.trace.take_trace import Trace

PIXELS_A_RTT = 70.0
LEAST_PIXELS = 440.0
# Longer traces (in round trips) are cut in the middle of their longest flight.
MOST_RTTS = 16
KEPT_BEFORE, KEPT_AFTER = 7, 3
CUT_PIXELS = 34.0
# A silence of more round trips than this is cut, except for a little at both ends.
LONGEST_SILENCE_RTTS = 1.25
KEPT_OF_SILENCE_RTTS = 0.2
_LEAST_RTT_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of time that is not drawn to scale."""

    begin_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Heights in pixels from the top, for times in ns from the first SYN."""

    cuts: tuple[Cut, ...]
    pixels_a_ns: float
    end_ns: int

    def leaves_out(self, time_ns: int) -> bool:
        """Return whether `time_ns` is within a cut."""
        return any(cut.begin_ns < time_ns < cut.end_ns for cut in self.cuts)

    @property
    def panes(self) -> tuple[tuple[int, int], ...]:
        """Return the stretches that are drawn, from and to."""
        edges = [0, *(edge for cut in self.cuts for edge in (cut.begin_ns, cut.end_ns)), self.end_ns]
        return tuple(zip(edges[::2], edges[1::2], strict=True))

    def height(self, time_ns: int) -> float:
        """Return the height of `time_ns`; within a cut it runs linearly from one edge to the other."""
        pixels = time_ns * self.pixels_a_ns
        for cut in self.cuts:
            inside_ns = min(time_ns, cut.end_ns) - cut.begin_ns
            if inside_ns > 0:
                pixels += inside_ns * (CUT_PIXELS / (cut.end_ns - cut.begin_ns) - self.pixels_a_ns)
        return pixels


def scale_time(trace: Trace) -> TimeScale:
    """Return the scale on which all of `trace` is drawn."""
    rtt_ns = max(trace.cell.link.rtt_ns, _LEAST_RTT_NS)
    events = sorted(_events(trace))
    cuts = list(_silences(events, rtt_ns))
    drawn_ns = events[-1] - sum(cut.end_ns - cut.begin_ns for cut in cuts)
    if drawn_ns > MOST_RTTS * rtt_ns:
        cuts = _join([*cuts, *_middle(trace, rtt_ns)])
        drawn_ns = events[-1] - sum(cut.end_ns - cut.begin_ns for cut in cuts)
    pixels = max(LEAST_PIXELS, min(MOST_RTTS, drawn_ns / rtt_ns) * PIXELS_A_RTT)
    return TimeScale(cuts=tuple(cuts), pixels_a_ns=pixels / max(drawn_ns, 1), end_ns=events[-1])


def _events(trace: Trace) -> Iterable[int]:
    yield 0
    for segment in trace.segments:
        yield segment.sent_ns
        if segment.received_ns is not None:
            yield segment.received_ns


def _silences(events: Sequence[int], rtt_ns: int) -> Iterable[Cut]:
    kept_ns = int(KEPT_OF_SILENCE_RTTS * rtt_ns)
    for before, after in itertools.pairwise(events):
        if after - before > LONGEST_SILENCE_RTTS * rtt_ns:
            yield Cut(before + kept_ns, after - kept_ns)


def _middle(trace: Trace, rtt_ns: int) -> list[Cut]:
    """Return a cut through the longest flight, if it is long enough."""
    longest = max(trace.flights, key=lambda flight: flight.last_sent_ns - flight.first_sent_ns)
    begin_ns = longest.first_sent_ns + KEPT_BEFORE * rtt_ns
    end_ns = (longest.received_ns or longest.last_sent_ns) - KEPT_AFTER * rtt_ns
    return [Cut(begin_ns, end_ns)] if end_ns - begin_ns > rtt_ns else []


def _join(cuts: Iterable[Cut]) -> list[Cut]:
    """Return `cuts` in order, overlapping ones joined."""
    joined: list[Cut] = []
    for cut in sorted(cuts, key=lambda cut: cut.begin_ns):
        if joined and cut.begin_ns <= joined[-1].end_ns:
            joined[-1] = Cut(joined[-1].begin_ns, max(joined[-1].end_ns, cut.end_ns))
        else:
            joined.append(cut)
    return joined
