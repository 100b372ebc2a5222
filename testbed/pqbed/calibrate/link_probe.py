"""Probing of one link from both sides: full queues, first flights, trains of datagrams, past drops and path MTU.

Each part starts on a link that was removed and reapplied, so that it meets no packets of the part before.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pqbed.calibrate.link_changes import DATAGRAMS, ChangesSeen, compare, watch_ns
from pqbed.calibrate.measurement import SMALL_PAYLOAD_BYTES, UDP_IP_BYTES, Disturbances
from pqbed.calibrate.measurement_schedule import (
    CONNECT_TRIES,
    LARGEST_QUEUE,
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
from pqbed.spec.link_end_shape import EndShape
from pqbed.spec.run_options import Clock
from pqbed.units import NS_PER_MS, NS_PER_S

# Two delays of one seed are equal if they differ by no more: the cost of reading the clock and of waking up, by clock.
SAME_DELAY_NS: dict[Clock, int] = {"virtual": 10_000, "real": 2_000_000}

# A queue between the ends is sent this many packets more than it should hold.
SPARE_PACKETS = 100
# A managed queue is offered twice its rate for half of this time: longer than any of them lets a queue stand.
OVERLOAD_NS = 4 * NS_PER_S
LARGEST_OVERLOAD = 4_000
# So many datagrams are sent where some are to be reordered, duplicated or corrupted.
DISTURBABLE = 400
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
    `apply_queues` does it with the queues as asked for, if one drops before it is full; they are a fifo otherwise.
    `apply_changes` sets the link with its trace and outage, and returns when (CLOCK_REALTIME, ns); None without any.
    `apply_disturbances` sets it with packets that are reordered, duplicated or corrupted, and nothing else at random.
    `apply_path_mtu` sets it with a path that tells its MTU; None without one.
    `stage_queues` is for up and down; None where the ends themselves are shaped, and the probers read their queues.
    """

    reapply: Callable[[int], None]
    quiet: Callable[[], object]
    stage_queues: tuple[StageQueues, StageQueues] | None = None
    apply_drops: Callable[[], None] | None = None
    apply_queues: Callable[[], None] | None = None
    apply_changes: Callable[[], int] | None = None
    apply_disturbances: Callable[[], None] | None = None
    apply_path_mtu: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedDirection:
    """One direction as requested: `limit` is how many packets its queue holds, None without a queue.

    `changing`: its shape with the timeline that `shape` leaves out; None if it has none.
    """

    shape: EndShape
    limit: int | None
    clock: Clock
    changing: EndShape | None = None


class DirectionProbe:
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
        self.manages = asked.shape.discipline not in {None, "fifo"}
        self.changing = asked.changing
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
    def overload(self) -> int:
        """Return how many datagrams, at twice the rate, a managed queue drops some of; 0 if none is to, or too few."""
        count = OVERLOAD_NS // self.plan.bulk_frame_ns if self.manages and self.plan.bulk_frame_ns else 0
        return count if count <= LARGEST_OVERLOAD and count // 2 < (self.limit or 0) else 0

    @property
    def losses(self) -> int:
        return min(self.plan.losses, MOST_BURSTS * self.burst)


class LinkProbe:
    """Both directions and the link between them."""

    def __init__(self, wire: Wire, directions: tuple[DirectionProbe, DirectionProbe]) -> None:
        self._wire = wire
        self.directions = directions
        self._trains = itertools.count(1)

    def fill_queues(self) -> None:
        self._wire.reapply(0)
        for direction in self.directions:
            filled = direction.fill_queue()
            direction.queue = filled if filled.packets and filled.took_ns <= direction.patient_ns else None
        self._wire.quiet()

    def first_flight(self, direction: DirectionProbe) -> FirstFlight | None:
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

    def send_past_queues(self) -> list[bool | None]:
        """Send twice what the rate takes, for less than fills the queue; return whether some of it is dropped."""
        counts = [direction.overload for direction in self.directions]
        if self._wire.apply_queues is None or not any(counts):
            return [None, None]
        self._wire.apply_queues()
        came = self._exchange(
            counts,
            payload_bytes=[direction.plan.bulk_payload_bytes for direction in self.directions],
            gaps_ns=[direction.plan.bulk_frame_ns // 2 for direction in self.directions],
            each_ns=[direction.plan.bulk_frame_ns for direction in self.directions],
        )
        self._wire.quiet()
        return [len(arrivals.numbers) < count if count else None for count, arrivals in zip(counts, came, strict=True)]

    def send_past_changes(self) -> list[ChangesSeen | None]:
        """Send single datagrams while the link changes, one direction after the other; compare what became of them."""
        return [self._watch(place) for place in range(len(self.directions))]

    def count_disturbances(self) -> list[Disturbances | None]:
        """Send single datagrams and count those that came too early, twice or not at all."""
        if self._wire.apply_disturbances is None:
            return [None, None]
        self._wire.apply_disturbances()
        came = self._exchange([DISTURBABLE] * 2, gaps_ns=[direction.plan.gap_ns for direction in self.directions])
        self._wire.quiet()
        return [
            Disturbances(
                sent=DISTURBABLE,
                early=sum(2 * delay < direction.plan.delay_ns for delay in arrivals.delays_ns),
                twice=len(arrivals.numbers) - len(set(arrivals.numbers)),
                missing=DISTURBABLE - len(set(arrivals.numbers)),
            )
            for direction, arrivals in zip(self.directions, came, strict=True)
        ]

    def _watch(self, place: int) -> ChangesSeen | None:
        direction = self.directions[place]
        length_ns = 0 if direction.changing is None else watch_ns(direction.changing)
        if direction.changing is None or self._wire.apply_changes is None or not length_ns:
            return None
        counts, gap_ns = [0, 0], length_ns // DATAGRAMS
        counts[place] = DATAGRAMS
        start_ns = self._wire.apply_changes()
        came = self._exchange(counts, gaps_ns=[gap_ns, gap_ns])
        self._wire.quiet()
        return compare(direction.changing, came[place], start_ns, gap_ns, direction.clock)

    def learn_path_mtus(self) -> list[int | None]:
        """Send a datagram of the ends' MTU each way, and return what both senders then know of the path.

        The last of all measurements: the sockets are left with an error.
        """
        if self._wire.apply_path_mtu is None:
            return [None, None]
        self._wire.apply_path_mtu()
        for direction in self.directions:
            size = direction.sender.mtu() - UDP_IP_BYTES
            direction.sender.send(Train(number=next(self._trains), count=1, payload_bytes=size))
        time.sleep(max(direction.plan.wait_ns for direction in self.directions) / NS_PER_S)
        learned: list[int | None] = [direction.sender.mtu() for direction in self.directions]
        self._wire.quiet()
        return learned

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
