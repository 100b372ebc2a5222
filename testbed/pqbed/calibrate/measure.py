"""Measure one link from both of its sides: queue, first flights, bulk, delays, losses. The same for every bed.

Each part begins on a link that was taken away and set anew, so that none meets what another left on the wire.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pqbed.calibrate.measured import ETHERNET_BYTES, QUANTILES, SMALL_PAYLOAD_BYTES, UDP_IP_BYTES, Measured, Sender, Way
from pqbed.calibrate.schedule import (
    CONNECT_TRIES,
    LARGEST_QUEUE,
    LOSSES_AGAIN,
    MOST_BURSTS,
    QUEUE_SHARE,
    SECOND_NS,
    Schedule,
    schedule,
)
from pqbed.calibrate.station import Came, Filled, Flight, Train
from pqbed.net.shape import EndShape
from pqbed.spec.options import Clock

# Two delays of one seed are the same when they differ by no more: by clock, what reading it and waking up cost.
SAME_DELAY_NS: dict[Clock, int] = {"virtual": 10_000, "real": 2_000_000}


class Station(Protocol):
    """The sockets of one side (station.py), in this process or behind a channel."""

    def open(self, own: str, other: str) -> None: ...
    def close(self) -> None: ...
    def mtu(self) -> int: ...
    def send(self, train: Train) -> None: ...
    def collect(self, train: Train, wait_ns: int, patience_ns: int) -> Came: ...
    def call(self, timeout_ns: int) -> bool: ...
    def answer(self, timeout_ns: int) -> bool: ...
    def flight(self) -> Flight: ...
    def hang_up(self) -> None: ...
    def fill(self, most: int) -> Filled: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The link. `set_anew` takes it away, sets it with the seed of that number and lets it settle."""

    set_anew: Callable[[int], None]
    quiet: Callable[[], None]


class _Direction:
    """One direction while it is measured: what is planned, and what came."""

    def __init__(self, sender: Station, receiver: Station, shape: EndShape, clock: Clock) -> None:
        self.sender, self.receiver = sender, receiver
        self.plan: Schedule = schedule(shape, clock)
        self.limit_packets = shape.limit_packets
        self.same_ns = SAME_DELAY_NS[clock]
        self.queue: Filled | None = None

    @property
    def burst(self) -> int:
        """Return how many datagrams may be sent back to back."""
        held = self.queue.packets if self.queue is not None and self.queue.packets else LARGEST_QUEUE
        return max(1, int(QUEUE_SHARE * held))

    @property
    def losses(self) -> int:
        return min(self.plan.losses, MOST_BURSTS * self.burst)


class _Bench:
    """Both directions and the link between them."""

    def __init__(self, wire: Wire, directions: tuple[_Direction, _Direction]) -> None:
        self._wire = wire
        self.ways = directions
        self._trains = itertools.count(1)

    def fill_queues(self) -> None:
        self._wire.set_anew(0)
        for way in self.ways:
            most = min(2 * way.limit_packets, LARGEST_QUEUE)
            filled = way.sender.fill(most)
            # Once packets leave, what is left does not tell the queue's length.
            leaving_ns = max(way.plan.delay_ns, way.plan.bulk_frame_ns * filled.packets // 50)
            way.queue = filled if filled.packets and filled.took_ns <= leaving_ns else None
        self._wire.quiet()

    def take_off(self) -> tuple[Flight, Flight] | None:
        """Return the first flights of both sides, best of a connection that lost nothing; None without any."""
        client, server = (way.sender for way in self.ways)
        patience_ns = SECOND_NS - 1 + 4 * sum(way.plan.delay_ns for way in self.ways)
        flights = None
        for number in range(CONNECT_TRIES):
            self._wire.set_anew(number)
            if client.call(patience_ns) and server.answer(patience_ns):
                flights = (client.flight(), server.flight())
            self._wire.quiet()
            for side in (client, server):
                side.hang_up()
            if flights is not None and not any(flight.retransmits for flight in flights):
                break
        return flights

    def haul(self) -> list[Came]:
        """Send datagrams of full size back to back."""
        self._wire.set_anew(0)
        counts = [min(way.plan.bulk, way.burst) for way in self.ways]
        sizes = [way.plan.bulk_payload_bytes for way in self.ways]
        frames_ns = [way.plan.bulk_frame_ns for way in self.ways]
        came = self._cross(counts, payload_bytes=sizes, each_ns=frames_ns)
        self._wire.quiet()
        return came

    def send_alone(self, seed: int, counts: Sequence[int]) -> list[Came]:
        """Send small datagrams one after the other."""
        self._wire.set_anew(seed)
        came = self._cross(counts, gaps_ns=[way.plan.gap_ns for way in self.ways])
        self._wire.quiet()
        return came

    def send_bursts(self, seed: int, counts: Sequence[int]) -> list[Came]:
        """Send small datagrams back to back, as many as the queue takes at once."""
        self._wire.set_anew(seed)
        came = [Came(), Came()]
        firsts = [0, 0]
        while any(first < count for first, count in zip(firsts, counts, strict=True)):
            parts = [min(way.burst, count - first) for way, first, count in zip(self.ways, firsts, counts, strict=True)]
            each_ns = [way.plan.small_ns for way in self.ways]
            new = self._cross(parts, firsts=firsts, each_ns=each_ns)
            came = [one.followed_by(other) for one, other in zip(came, new, strict=True)]
            firsts = [first + part for first, part in zip(firsts, parts, strict=True)]
        self._wire.quiet()
        return came

    def _cross(
        self,
        counts: Sequence[int],
        *,
        payload_bytes: Sequence[int] = (SMALL_PAYLOAD_BYTES, SMALL_PAYLOAD_BYTES),
        gaps_ns: Sequence[int] = (0, 0),
        firsts: Sequence[int] = (0, 0),
        each_ns: Sequence[int] = (0, 0),
    ) -> list[Came]:
        """Send a train in both directions and collect both."""
        number = next(self._trains)
        trains = [
            Train(number=number, count=count, payload_bytes=size, gap_ns=gap_ns, first=first)
            for count, size, gap_ns, first in zip(counts, payload_bytes, gaps_ns, firsts, strict=True)
        ]
        for way, train in zip(self.ways, trains, strict=True):
            if train.count:
                way.sender.send(train)
        waits_ns = [
            way.plan.delay_ns + count * each for way, count, each in zip(self.ways, counts, each_ns, strict=True)
        ]
        return [
            way.receiver.collect(train, wait_ns, way.plan.wait_ns) if train.count else Came()
            for way, train, wait_ns in zip(self.ways, trains, waits_ns, strict=True)
        ]


def measure_link(
    client: Station, server: Station, wire: Wire, shapes: tuple[EndShape, EndShape], clock: Clock
) -> Measured:
    """Measure what is between two open stations. `shapes` are those of the client's end and the server's."""
    up = _Direction(client, server, shapes[0], clock)
    down = _Direction(server, client, shapes[1], clock)
    bench = _Bench(wire, (up, down))
    bench.fill_queues()
    flights = bench.take_off()
    bulks = bench.haul()
    alone = bench.send_alone(1, [way.plan.alone for way in bench.ways])
    bursts = bench.send_bursts(1, [way.losses for way in bench.ways])
    repeats = _try_seeds(bench, alone, bursts)
    rtts = _round_trips(*alone)
    return Measured(
        up=_sum_up(up, bulks[0], alone[0], bursts[0], repeats[0]),
        down=_sum_up(down, bulks[1], alone[1], bursts[1], repeats[1]),
        client=_sender(client, flights and flights[0]),
        server=_sender(server, flights and flights[1]),
        rtt_p50_ns=_quantile(rtts, 50),
        rtt_p99_ns=_quantile(rtts, 99),
    )


def _try_seeds(bench: _Bench, alone: Sequence[Came], bursts: Sequence[Came]) -> list[bool | None]:
    """Draw again with the first seed and with another; tell whether delays, else losses, follow it."""
    ways = bench.ways
    varied = any(_spread_ns(came) > 4 * way.same_ns for way, came in zip(ways, alone, strict=True))
    if varied:
        counts, first, send = [way.plan.again for way in ways], alone, bench.send_alone
    else:
        counts, first, send = [min(way.losses, LOSSES_AGAIN) for way in ways], bursts, bench.send_bursts
        if all(_settled(came.delays(count), count) for came, count in zip(first, counts, strict=True)):
            return [None, None]
    again, other = send(1, counts), send(2, counts)
    same_ns = [way.same_ns if varied else None for way in ways]
    return [_follows(*parts) for parts in zip(first, again, other, counts, same_ns, strict=True)]


def _follows(first: Came, again: Came, other: Came, count: int, same_ns: int | None) -> bool | None:
    """Tell whether `first` and `again` are of one seed and `other` is not; None where nothing was drawn.

    Without `same_ns` delays are not compared.
    """
    delays = [came.delays(count) for came in (first, again, other)]
    drawn = not all(_settled(one, count) for one in delays) or (same_ns is not None and _spread_ns(first) > 4 * same_ns)
    if not drawn:
        return None
    return _alike(delays[0], delays[1], same_ns) and not _alike(delays[0], delays[2], same_ns)


def _settled(delays: dict[int, int], count: int) -> bool:
    """Tell whether all or none came."""
    return len(delays) in (0, count)


def _alike(one: dict[int, int], other: dict[int, int], same_ns: int | None) -> bool:
    if one.keys() != other.keys():
        return False
    return same_ns is None or all(abs(one[number] - other[number]) <= same_ns for number in one)


def _sum_up(way: _Direction, bulk: Came, alone: Came, burst: Came, repeats: bool | None) -> Way:
    arrivals = [sent + delay for sent, delay in zip(bulk.sent_ns, bulk.delays_ns, strict=True)]
    sent_ns = max(bulk.sent_ns) - min(bulk.sent_ns) if bulk.sent_ns else 0
    # A rate keeps datagrams in order: out of order they were not slowed down, however far apart they came.
    serial = bool(arrivals) and not _late(bulk)
    frame_bytes = way.plan.bulk_payload_bytes + UDP_IP_BYTES + ETHERNET_BYTES
    delays = sorted(alone.delays_ns)
    return Way(
        sent=way.losses,
        lost=way.losses - len(burst.numbers),
        reordered=_late(burst) + _late(alone) + _late(bulk),
        delays_ns=tuple(delays[(len(delays) - 1) * q // (QUANTILES - 1)] for q in range(QUANTILES)) if delays else (),
        delay_count=len(delays),
        bulk_bytes=frame_bytes * max(0, len(arrivals) - 1),
        bulk_sent_ns=sent_ns,
        bulk_ns=max(arrivals) - min(arrivals) if serial else sent_ns,
        queue_packets=None if way.queue is None else way.queue.packets,
        queue_full=way.queue is not None and way.queue.full,
        seed_repeats=repeats,
    )


def _sender(station: Station, flight: Flight | None) -> Sender:
    if flight is None:
        return Sender(
            mtu=station.mtu(), initcwnd=None, flight_segments=None, flight_frame_bytes=None, congestion_control=""
        )
    return Sender(
        mtu=station.mtu(),
        initcwnd=flight.window,
        flight_segments=flight.segments,
        flight_frame_bytes=flight.packet_bytes // flight.packets if flight.packets else None,
        congestion_control=flight.congestion_control,
    )


def _round_trips(up: Came, down: Came) -> list[int]:
    """Return the sums of both ways' delays by number, sorted."""
    back = dict(zip(down.numbers, down.delays_ns, strict=True))
    there = zip(up.numbers, up.delays_ns, strict=True)
    return sorted(delay + back[number] for number, delay in there if number in back)


def _quantile(values: Sequence[int], percent: int) -> int | None:
    return values[(len(values) - 1) * percent // 100] if values else None


def _spread_ns(came: Came) -> int:
    """Return how far apart all but the tenth of each end are."""
    delays = sorted(came.delays_ns)
    return delays[len(delays) * 9 // 10] - delays[len(delays) // 10] if len(delays) > 1 else 0


def _late(came: Came) -> int:
    """Count those that came after one with a higher number."""
    highest, late = -1, 0
    for number in came.numbers:
        late += number < highest
        highest = max(highest, number)
    return late
