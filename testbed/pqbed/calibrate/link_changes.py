"""Comparison of a link that changes with what was asked of it, datagram by datagram."""

from collections.abc import Iterator
from dataclasses import dataclass

from pqbed.calibrate.measurement import SMALL_FRAME_BYTES
from pqbed.calibrate.prober import Arrivals
from pqbed.spec.link import PPM, RandomLoss
from pqbed.spec.link_end_shape import EndShape, at_time
from pqbed.spec.run_options import Clock
from pqbed.units import NS_PER_MS, NS_PER_S

# What is watched of a timeline, by so many datagrams.
LONGEST_WATCH_NS, DATAGRAMS = 10 * NS_PER_S, 200
# How far a delay may be off, and how near a change a datagram says nothing.
TOLERANCE_NS: dict[Clock, int] = {"virtual": 50_000, "real": 5 * NS_PER_MS}
NEAR_CHANGE_NS: dict[Clock, int] = {"virtual": NS_PER_MS, "real": 20 * NS_PER_MS}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesSeen:
    """Of `compared` datagrams: how many came late or early, and how many were lost, or not, against the timeline."""

    compared: int
    mistimed: int
    mislaid: int


def watch_ns(shape: EndShape) -> int:
    """Return how long to watch `shape`; 0 if it does not change."""
    timeline = shape.timeline
    if timeline is None:
        return 0
    of_trace_ns = 0 if timeline.trace is None else timeline.trace.period_ns
    of_outage_ns = 0 if timeline.outage is None else timeline.outage.at_ns + 2 * timeline.outage.for_ns
    return min(LONGEST_WATCH_NS, max(of_trace_ns, of_outage_ns))


def compare(shape: EndShape, arrivals: Arrivals, start_ns: int, gap_ns: int, clock: Clock) -> ChangesSeen:
    """Compare the arrivals of a train that began after `start_ns`, when the timeline did (CLOCK_REALTIME)."""
    delays = dict(zip(arrivals.numbers, arrivals.delays_ns, strict=True))
    compared = mistimed = mislaid = latest_ns = 0
    for number, sent_ns in _sending_times(arrivals, start_ns, gap_ns):
        due, delay_ns = _due(shape, sent_ns - start_ns, clock), delays.get(number)
        # Where a delay becomes shorter, none overtakes those that were sent before.
        due_ns = 0 if due is None else max(sent_ns + due.delay_ns, latest_ns) + due.own_ns
        latest_ns = latest_ns if delay_ns is None else max(latest_ns, sent_ns + delay_ns)
        if due is None:
            continue
        compared += 1
        if (delay_ns is None) != due.lost:
            mislaid += 1
        elif delay_ns is not None and abs(sent_ns + delay_ns - due_ns) > TOLERANCE_NS[clock]:
            mistimed += 1
    return ChangesSeen(compared=compared, mistimed=mistimed, mislaid=mislaid)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    delay_ns: int
    own_ns: int
    lost: bool


def _due(shape: EndShape, elapsed_ns: int, clock: Clock) -> _Due | None:
    """Return what becomes of a datagram sent then; None near a change, and where loss is drawn."""
    timeline, near_ns = shape.timeline, NEAR_CHANGE_NS[clock]
    if timeline is None or elapsed_ns < near_ns:
        return None
    change_ns = timeline.next_change_ns(elapsed_ns - near_ns)
    if change_ns is not None and change_ns <= elapsed_ns + near_ns:
        return None
    now = at_time(shape, elapsed_ns)
    if now.loss not in {RandomLoss(), RandomLoss(probability_ppm=PPM)}:
        return None
    own_ns = 8 * SMALL_FRAME_BYTES * NS_PER_S // now.rate_bps if now.rate_bps else 0
    return _Due(delay_ns=now.delay_ns, own_ns=own_ns, lost=now.loss != RandomLoss())


def _sending_times(arrivals: Arrivals, start_ns: int, gap_ns: int) -> Iterator[tuple[int, int]]:
    """Yield the number of every datagram and when it was sent; of a lost one, what the next before it says."""
    sent = dict(zip(arrivals.numbers, arrivals.sent_ns, strict=True))
    last_ns = start_ns - gap_ns
    for number in range(DATAGRAMS):
        last_ns = sent.get(number, last_ns + gap_ns)
        yield number, last_ns
