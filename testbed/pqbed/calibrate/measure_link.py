"""Measurement of one link from both sides: queue, first flights, bulk, delays, losses. The same for every bed.

Each part starts on a link that was removed and reapplied, so that it meets no packets of the part before.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pqbed.calibrate.measurement import (
    QUANTILES,
    SMALL_PAYLOAD_BYTES,
    UDP_IP_BYTES,
    DirectionMeasurement,
    LinkMeasurement,
    SenderMeasurement,
)
from pqbed.calibrate.measurement_schedule import (
    CONNECT_TRIES,
    LARGEST_QUEUE,
    LOSSES_AGAIN,
    MOST_BURSTS,
    QUEUE_SHARE,
    Schedule,
    schedule,
)
from pqbed.calibrate.prober import (
    DATAGRAMS_PER_LOOK,
    LARGEST_DATAGRAM,
    Arrivals,
    FirstFlight,
    Prober,
    QueueFill,
    ReadQueue,
    Train,
)
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES, EndShape
from pqbed.spec.run_options import Clock
from pqbed.units import NS_PER_MS, NS_PER_S

# Two delays of one seed are equal if they differ by no more: the cost of reading the clock and of waking up, by clock.
SAME_DELAY_NS: dict[Clock, int] = {"virtual": 10_000, "real": 2_000_000}
# At least this share of the delays of one seed must be equal: on a real clock a busy host spoils some.
SAME_SHARE: dict[Clock, float] = {"virtual": 1.0, "real": 0.6}

# A queue between the ends is sent this many packets more than it should hold.
SPARE_PACKETS = 100
# So many datagrams are sent past the last one of a drop list.
SPARE_DROPS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StageQueues:
    """Readers of the queues between the ends in one direction: the bottleneck's, and those of all stages together."""

    bottleneck: ReadQueue
    whole: ReadQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The link. `reapply` removes it, sets it again with the seed of that number and lets it settle.

    `reapply` leaves a drop list out; `apply_drops` does the same with it, without loss and jitter; None without one.
    `stage_queues` is for up and down; None where the ends themselves are shaped, and the probers read their queues.
    """

    reapply: Callable[[int], None]
    quiet: Callable[[], object]
    stage_queues: tuple[StageQueues, StageQueues] | None = None
    apply_drops: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedDirection:
    """One direction as requested: `limit` is how many packets its queue holds, None without a queue."""

    shape: EndShape
    limit: int | None
    clock: Clock


class _DirectionProbe:
    """One direction while it is measured: its schedule, and the state of its queue."""

    def __init__(
        self, sender: Prober, receiver: Prober, asked: RequestedDirection, stage_queues: StageQueues | None
    ) -> None:
        self.sender, self.receiver, self.stage_queues = sender, receiver, stage_queues
        self.plan: Schedule = schedule(asked.shape, asked.clock)
        self.limit = asked.limit
        self.varies = asked.shape.jitter_ns > 2 * SAME_DELAY_NS[asked.clock]
        self.clock = asked.clock
        self.drops = asked.shape.drops
        self.largest_packet = asked.shape.largest_packet if asked.shape.largest_packet < asked.shape.mtu else 0
        self.queue: QueueFill | None = None

    @property
    def burst(self) -> int:
        """Return how many datagrams may be sent back to back."""
        held = self.limit if self.queue is None else self.queue.packets
        return max(1, int(QUEUE_SHARE * (held or LARGEST_QUEUE)))

    def fill_queue(self) -> QueueFill:
        """Fill the queue, and return what it then holds."""
        if self.stage_queues is None:
            return self.sender.fill_queue(min(2 * (self.limit or 0), LARGEST_QUEUE))
        if self.limit is None:
            return QueueFill(packets=0, full=False, took_ns=0)
        count, start_ns = min(self.limit + SPARE_PACKETS, LARGEST_QUEUE), time.monotonic_ns()
        # Packets that pass the stages reach the other side: whole ones, of no train that anybody waits for.
        self.sender.send(Train(number=0, count=count, payload_bytes=self.plan.bulk_payload_bytes))
        held, _ = self.stage_queues.bottleneck()
        return QueueFill(packets=held, full=held < count, took_ns=time.monotonic_ns() - start_ns)

    def send_first_flight(self) -> FirstFlight:
        """Send the first flight of the new connection, once its handshake has left the wire."""
        flight = self.sender.send_first_flight(self.plan.delay_ns + self.plan.small_ns + NS_PER_MS)
        if self.stage_queues is None:
            return flight
        packets, packet_bytes = self.stage_queues.whole()
        return replace(flight, packets=packets, packet_bytes=packet_bytes)

    @property
    def patient_ns(self) -> int:
        """Return how long filling may take, ns: later, packets leave as fast as they come, and full is not known."""
        if self.stage_queues is None:
            per_look = DATAGRAMS_PER_LOOK * len(LARGEST_DATAGRAM) // self.plan.bulk_payload_bytes
            return max(self.plan.delay_ns, self.plan.bulk_frame_ns * per_look // 2)
        return self.plan.bulk_frame_ns * SPARE_PACKETS // 2

    @property
    def losses(self) -> int:
        return min(self.plan.losses, MOST_BURSTS * self.burst)


class _LinkProbe:
    """Both directions and the link between them."""

    def __init__(self, wire: Wire, directions: tuple[_DirectionProbe, _DirectionProbe]) -> None:
        self._wire = wire
        self.directions = directions
        self._trains = itertools.count(1)

    def fill_queues(self) -> None:
        self._wire.reapply(0)
        for direction in self.directions:
            filled = direction.fill_queue()
            direction.queue = filled if filled.packets and filled.took_ns <= direction.patient_ns else None
        self._wire.quiet()

    def first_flight(self, direction: _DirectionProbe) -> FirstFlight | None:
        """Return the first flight in one direction, preferably without loss; None without a connection."""
        client, server = (direction.sender for direction in self.directions)
        patience_ns = NS_PER_S - 1 + 4 * sum(direction.plan.delay_ns for direction in self.directions)
        flight = None
        for number in range(CONNECT_TRIES):
            self._wire.reapply(number)
            if client.connect(patience_ns) and server.accept(patience_ns):
                flight = direction.send_first_flight()
            self._wire.quiet()
            for side in (client, server):
                side.reset()
            if flight is not None and not flight.retransmits:
                break
        return flight

    def send_bulk(self) -> list[Arrivals]:
        """Send datagrams of full size back to back."""
        self._wire.reapply(0)
        counts = [min(direction.plan.bulk, direction.burst) for direction in self.directions]
        sizes = [direction.plan.bulk_payload_bytes for direction in self.directions]
        frames_ns = [direction.plan.bulk_frame_ns for direction in self.directions]
        came = self._exchange(counts, payload_bytes=sizes, each_ns=frames_ns)
        self._wire.quiet()
        return came

    def send_alone(self, seed: int, counts: Sequence[int]) -> list[Arrivals]:
        """Send small datagrams one after the other."""
        self._wire.reapply(seed)
        came = self._exchange(counts, gaps_ns=[direction.plan.gap_ns for direction in self.directions])
        self._wire.quiet()
        return came

    def send_bursts(self, seed: int, counts: Sequence[int]) -> list[Arrivals]:
        """Send small datagrams back to back, as many as the queue takes at once."""
        self._wire.reapply(seed)
        came = self._send_in_bursts(counts)
        self._wire.quiet()
        return came

    def send_past_drops(self) -> list[tuple[int, ...] | None]:
        """Send small datagrams through the drop lists; return the numbers, from 1, of those that did not arrive."""
        if self._wire.apply_drops is None:
            return [None, None]
        counts = [max(direction.drops, default=0) + SPARE_DROPS for direction in self.directions]
        self._wire.apply_drops()
        came = self._send_in_bursts(counts)
        self._wire.quiet()
        return [
            tuple(number + 1 for number in range(count) if number not in set(arrivals.numbers))
            for count, arrivals in zip(counts, came, strict=True)
        ]

    def send_past_path_mtu(self) -> list[bool | None]:
        """Send a datagram as large as the path takes and a larger one; return whether that one alone is lost."""
        if self._wire.apply_drops is None or not any(direction.largest_packet for direction in self.directions):
            return [None, None]
        self._wire.apply_drops()
        spare = [max(direction.drops, default=0) for direction in self.directions]
        if any(spare):
            self._send_in_bursts(spare)
        fits = [direction.largest_packet - UDP_IP_BYTES for direction in self.directions]
        came = [self._exchange([1, 1], payload_bytes=[size + more for size in fits]) for more in (0, 1)]
        self._wire.quiet()
        return [bool(small.numbers) and not large.numbers for small, large in zip(*came, strict=True)]

    def _send_in_bursts(self, counts: Sequence[int]) -> list[Arrivals]:
        came = [Arrivals(), Arrivals()]
        firsts = [0, 0]
        while any(first < count for first, count in zip(firsts, counts, strict=True)):
            parts = [
                min(direction.burst, count - first)
                for direction, first, count in zip(self.directions, firsts, counts, strict=True)
            ]
            each_ns = [direction.plan.small_ns for direction in self.directions]
            new = self._exchange(parts, firsts=firsts, each_ns=each_ns)
            came = [before.followed_by(after) for before, after in zip(came, new, strict=True)]
            firsts = [first + part for first, part in zip(firsts, parts, strict=True)]
        return came

    def _exchange(
        self,
        counts: Sequence[int],
        *,
        payload_bytes: Sequence[int] = (SMALL_PAYLOAD_BYTES, SMALL_PAYLOAD_BYTES),
        gaps_ns: Sequence[int] = (0, 0),
        firsts: Sequence[int] = (0, 0),
        each_ns: Sequence[int] = (0, 0),
    ) -> list[Arrivals]:
        """Send a train in both directions and collect both."""
        number = next(self._trains)
        trains = [
            Train(number=number, count=count, payload_bytes=size, gap_ns=gap_ns, first=first)
            for count, size, gap_ns, first in zip(counts, payload_bytes, gaps_ns, firsts, strict=True)
        ]
        for direction, train in zip(self.directions, trains, strict=True):
            if train.count:
                direction.sender.send(train)
        waits_ns = [
            direction.plan.delay_ns + count * each
            for direction, count, each in zip(self.directions, counts, each_ns, strict=True)
        ]
        return [
            direction.receiver.collect(train, wait_ns, direction.plan.wait_ns) if train.count else Arrivals()
            for direction, train, wait_ns in zip(self.directions, trains, waits_ns, strict=True)
        ]


def measure_link(
    client: Prober, server: Prober, wire: Wire, asked: tuple[RequestedDirection, RequestedDirection]
) -> LinkMeasurement:
    """Measure the link between two open probers. `asked` holds up and down, in this order."""
    stage_queues = wire.stage_queues or (None, None)
    up = _DirectionProbe(client, server, asked[0], stage_queues[0])
    down = _DirectionProbe(server, client, asked[1], stage_queues[1])
    probe = _LinkProbe(wire, (up, down))
    probe.fill_queues()
    # One connection each: the acknowledgements of the one would be among the other's frames.
    flights = [probe.first_flight(direction) for direction in probe.directions]
    bulks = probe.send_bulk()
    alone = probe.send_alone(1, [direction.plan.alone for direction in probe.directions])
    bursts = probe.send_bursts(1, [direction.losses for direction in probe.directions])
    repeats = _try_seeds(probe, alone, bursts)
    rtts = _round_trips(*alone)
    dropped = probe.send_past_drops()
    sizes_hold = probe.send_past_path_mtu()
    return LinkMeasurement(
        up=_sum_up(up, bulks[0], alone[0], bursts[0], repeats[0], dropped=dropped[0], path_mtu_holds=sizes_hold[0]),
        down=_sum_up(down, bulks[1], alone[1], bursts[1], repeats[1], dropped=dropped[1], path_mtu_holds=sizes_hold[1]),
        client=_sender(client, flights[0]),
        server=_sender(server, flights[1]),
        rtt_p50_ns=_quantile(rtts, 50),
        rtt_p99_ns=_quantile(rtts, 99),
    )


def _try_seeds(probe: _LinkProbe, alone: Sequence[Arrivals], bursts: Sequence[Arrivals]) -> list[bool | None]:
    """Repeat with the first seed and with another; return per direction whether losses and jitter follow it."""
    directions = probe.directions
    varied = any(direction.varies for direction in directions)
    if varied:
        counts, first, send = [direction.plan.again for direction in directions], alone, probe.send_alone
    else:
        counts = [min(direction.losses, LOSSES_AGAIN) for direction in directions]
        first, send = bursts, probe.send_bursts
        if all(_settled(came.delays(count), count) for came, count in zip(first, counts, strict=True)):
            return [None, None]
    again, other = send(1, counts), send(2, counts)
    clocks = [direction.clock if direction.varies else None for direction in directions]
    return [_follows(*parts) for parts in zip(first, again, other, counts, clocks, strict=True)]


def _follows(first: Arrivals, again: Arrivals, other: Arrivals, count: int, clock: Clock | None) -> bool | None:
    """Return whether `first` and `again` have the same draws and `other` has others; None if nothing was drawn.

    Without `clock` delays are not compared.
    """
    delays = [came.delays(count) for came in (first, again, other)]
    drawn = not all(_settled(by_number, count) for by_number in delays) or (
        clock is not None and _spread_ns(first) > 2 * SAME_DELAY_NS[clock]
    )
    if not drawn:
        return None
    return _alike(delays[0], delays[1], clock) and not _alike(delays[0], delays[2], clock)


def _settled(delays: dict[int, int], count: int) -> bool:
    """Return whether all or none arrived."""
    return len(delays) in (0, count)


def _alike(first: dict[int, int], second: dict[int, int], clock: Clock | None) -> bool:
    if first.keys() != second.keys():
        return False
    if clock is None or not first:
        return True
    same = sum(abs(first[number] - second[number]) <= SAME_DELAY_NS[clock] for number in first)
    return same >= SAME_SHARE[clock] * len(first)


def _sum_up(
    direction: _DirectionProbe,
    bulk: Arrivals,
    alone: Arrivals,
    burst: Arrivals,
    repeats: bool | None,
    *,
    dropped: tuple[int, ...] | None,
    path_mtu_holds: bool | None,
) -> DirectionMeasurement:
    arrivals = [sent + delay for sent, delay in zip(bulk.sent_ns, bulk.delays_ns, strict=True)]
    sent_ns = max(bulk.sent_ns) - min(bulk.sent_ns) if bulk.sent_ns else 0
    # A rate keeps datagrams in order: out of order they were not slowed down, however far apart they came.
    serial = bool(arrivals) and not _late(bulk)
    passed = max(0, len(arrivals) - 1)
    if arrivals and direction.stage_queues is not None:
        # There packets are lost behind the bottleneck, which they have passed like the others.
        passed = max(bulk.numbers) - min(bulk.numbers)
    frame_bytes = direction.plan.bulk_payload_bytes + UDP_IP_BYTES + ETHERNET_HEADER_BYTES
    delays = sorted(alone.delays_ns)
    return DirectionMeasurement(
        sent=direction.losses,
        lost=direction.losses - len(burst.numbers),
        reordered=_late(burst) + _late(alone) + _late(bulk),
        delays_ns=tuple(delays[(len(delays) - 1) * q // (QUANTILES - 1)] for q in range(QUANTILES)) if delays else (),
        delay_count=len(delays),
        bulk_bytes=frame_bytes * passed,
        bulk_sent_ns=sent_ns,
        bulk_ns=max(arrivals) - min(arrivals) if serial else sent_ns,
        queue_packets=None if direction.queue is None else direction.queue.packets,
        queue_full=direction.queue is not None and direction.queue.full,
        seed_repeats=repeats,
        dropped=dropped,
        path_mtu_holds=path_mtu_holds,
    )


def _sender(prober: Prober, flight: FirstFlight | None) -> SenderMeasurement:
    if flight is None:
        return SenderMeasurement(
            mtu=prober.mtu(), initcwnd=None, flight_segments=None, flight_frame_bytes=None, congestion_control=""
        )
    return SenderMeasurement(
        mtu=prober.mtu(),
        initcwnd=flight.window,
        flight_segments=flight.segments,
        flight_frame_bytes=flight.packet_bytes // flight.packets if flight.packets else None,
        congestion_control=flight.congestion_control,
    )


def _round_trips(up: Arrivals, down: Arrivals) -> list[int]:
    """Return the sums of both directions' delays by number, sorted."""
    back = dict(zip(down.numbers, down.delays_ns, strict=True))
    there = zip(up.numbers, up.delays_ns, strict=True)
    return sorted(delay + back[number] for number, delay in there if number in back)


def _quantile(values: Sequence[int], percent: int) -> int | None:
    return values[(len(values) - 1) * percent // 100] if values else None


def _spread_ns(came: Arrivals) -> int:
    """Return the distance between the first and the last decile of the delays, ns."""
    delays = sorted(came.delays_ns)
    return delays[len(delays) * 9 // 10] - delays[len(delays) // 10] if len(delays) > 1 else 0


def _late(came: Arrivals) -> int:
    """Count the datagrams that arrived after one with a higher number."""
    highest, late = -1, 0
    for number in came.numbers:
        late += number < highest
        highest = max(highest, number)
    return late
