"""A lane whose link is computed: what netem, a fifo, a drop list and a path's MTU do to the datagrams of two probers.

Time is its own, so that a measurement takes none. The link is set and probed by the code under test; what the packets
meet is written here a second time, after sch_netem.c, and so is no copy of what is tested.
"""

import errno
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pqbed.agent import calibrate_lane_link
from pqbed.calibrate import link_probe
from pqbed.calibrate.delay_spread import asked_delays
from pqbed.calibrate.deviations import FATAL_SHARE
from pqbed.calibrate.measurement import LinkMeasurement
from pqbed.calibrate.prober import Arrivals, FirstFlight, QueueFill, Train
from pqbed.spec.link import PPM, GilbertElliott, Link
from pqbed.spec.link_end_shape import EndShape, at_time, queue_limit, shape_direction
from pqbed.spec.link_sides import Side, path_mtu_of
from pqbed.spec.run_options import Clock
from pqbed.spec.tcp import Tcp
from pqbed.units import NS_PER_S

HEADERS_BYTES, ETHERNET_BYTES = 28, 14
# A managed queue is taken to drop what waits longer: all three do so for a fifth of a second of overload.
STANDING_NS = 100_000_000
Falsify = Callable[[EndShape], EndShape | None]


def honest(shape: EndShape) -> EndShape:
    return shape


class Direction:
    """What one side sends: its shape, and the packets on the wire."""

    def __init__(self, link: Link, tcp: Tcp, side: Side, shape: EndShape | None, start_ns: int) -> None:
        self.shape, self.start_ns = shape, start_ns
        self.routed = link.layout == "router"
        self.limit = None if shape is None else queue_limit(link, tcp, side)
        self.told = path_mtu_of(link, "told") or 0
        self.draw = random.Random(0 if shape is None else shape.seed)
        self.sent, self.bad, self.last_ns, self.sent_ns, self.left = 0, False, 0, 0, list[int]()

    def arrivals(self, now: int, payload_bytes: int) -> list[int]:
        """Return when a datagram that is sent now arrives: not at all, once or twice."""
        if self.shape is None:
            return [now]
        shape = at_time(self.shape, now - self.start_ns)
        self.sent += 1
        size, lost = payload_bytes + HEADERS_BYTES, self._is_lost(shape)
        spread = self.draw.choice(asked_delays(shape.delay_ns, shape.jitter_ns, shape.distribution))
        copies = 2 if self.draw.random() < shape.duplicate_ppm / PPM else 1
        early = self.draw.random() < shape.reorder_ppm / PPM
        lost |= self.draw.random() < FATAL_SHARE * shape.corrupt_ppm / PPM
        lost |= self.sent in shape.drops or bool(shape.largest_packet and size > shape.largest_packet)
        lost |= 0 < self.told < size
        if lost and not self.routed:
            return []
        passed = [self._pass(shape, now, size, 0 if early else spread) for _ in range(copies)]
        # Between the ends a packet has passed the bottleneck before it is lost.
        return [] if lost else [at for at in passed if at is not None]

    def _is_lost(self, shape: EndShape) -> bool:
        if not isinstance(shape.loss, GilbertElliott):
            return self.draw.random() < shape.loss.probability_ppm / PPM
        loss = shape.loss
        turns = self.draw.random() < (loss.leave_bad_ppm if self.bad else loss.enter_bad_ppm) / PPM
        self.bad ^= turns
        return self.draw.random() < (loss.loss_in_bad_ppm if self.bad else loss.loss_in_good_ppm) / PPM

    def _pass(self, shape: EndShape, now: int, size: int, delay_ns: float) -> int | None:
        """Return when a packet leaves netem (netem_enqueue): with a rate after all those before it."""
        self.left = [at for at in self.left if at > now]
        if self.limit is not None and len(self.left) >= self.limit:
            return None
        if shape.rate_bps is None:
            at = left = now + round(delay_ns)
        else:
            if (
                shape.discipline not in {None, "fifo"}
                and max(self.last_ns, self.sent_ns) - now - round(delay_ns) > STANDING_NS
            ):
                return None
            frame_ns = 8 * (size + ETHERNET_BYTES) * NS_PER_S // shape.rate_bps
            if self.routed:
                self.sent_ns = left = max(now, self.sent_ns) + frame_ns
                at = max(left + round(delay_ns), self.last_ns + frame_ns if delay_ns else 0)
            else:
                at = left = max(now + round(delay_ns), self.last_ns if delay_ns else 0) + frame_ns
            self.last_ns = max(self.last_ns, at)
        self.left.append(left)
        return at


class SimulatedLane:
    """Stands for the lane's FetchRunner, its network path, the module `time`, and what the two probers ask of it."""

    def __init__(
        self, tcp: Tcp, client: Falsify = honest, server: Falsify = honest, layout_stages: bool = False
    ) -> None:
        self.tcp, self.now, self.wire = tcp, 10**18, dict[Side, Direction]()
        self.falsify: dict[Side, Falsify] = {"client": client, "server": server}
        self.probers: dict[Side, SimulatedProber] = {
            "client": SimulatedProber(self, "client", "server"),
            "server": SimulatedProber(self, "server", "client"),
        }
        self.layout_stages = layout_stages
        self.client_address, self.address = "10.0.0.1", "10.0.0.2"
        self.ends = {side: shape_direction(Link(rtt_ns=0), tcp, side, 0) for side in self.falsify}

    def calibrate(self, link: Link, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> LinkMeasurement:
        clocks = SimpleNamespace(sleep=self.sleep, time_ns=lambda: self.now, monotonic_ns=lambda: self.now)
        monkeypatch.setattr(calibrate_lane_link, "time", clocks)
        monkeypatch.setattr(link_probe, "time", clocks)
        lane: Any = self
        measured = calibrate_lane_link.calibrate(
            lane,
            lambda _: (self.probers["client"], self.probers["server"]),
            link=link,
            tcp=self.tcp,
            seed=1,
            clock=clock,
        )
        return measured.measured

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * NS_PER_S)

    def select_path(self, _: str) -> "SimulatedLane":
        return self

    @property
    def stages(self) -> dict[str, Any]:
        names: dict[str, Side] = {
            "up-rate": "client",
            "up-delay": "client",
            "down-rate": "server",
            "down-delay": "server",
        }
        return {name: SimulatedStage(self, side, name) for name, side in names.items()} if self.layout_stages else {}

    def set_link(self, link: Link, tcp: Tcp, seed: int) -> None:
        sides: tuple[Side, ...] = ("client", "server")
        for side in sides:
            shape = shape_direction(link, tcp, side, seed)
            wrong = self.falsify[side](shape)
            self.ends[side] = shape if wrong is None else wrong
            self.wire[side] = Direction(link, tcp, side, wrong, self.now)
            if wrong is not None and wrong.limit_packets != shape.limit_packets:
                self.wire[side].limit = wrong.limit_packets
            self.probers[side].told = None

    def read_link(self) -> None:
        return None

    def quiet(self) -> None:
        self.wire.clear()
        for prober in self.probers.values():
            prober.inbox.clear()


class SimulatedStage:
    """The queue of a stage: the bottleneck holds all packets of its direction."""

    def __init__(self, lane: SimulatedLane, side: Side, name: str) -> None:
        self._lane, self._side, self._name = lane, side, name

    def queue(self) -> tuple[int, int]:
        if self._name.endswith("-delay"):
            return 0, 0
        flight = self._lane.probers[self._side].flight
        if flight is not None:
            return flight.packets, flight.packet_bytes
        return len([at for at in self._lane.wire[self._side].left if at > self._lane.now]), 0


class SimulatedProber:
    """The sockets of one side."""

    def __init__(self, lane: SimulatedLane, side: Side, other: Side) -> None:
        self._lane, self._side, self._other = lane, side, other
        self.inbox: list[tuple[int, int, int, int]] = []  # arrival, train, number, sent
        self.told: int | None = None
        self.flight: FirstFlight | None = None
        self.closed = True

    def open(self, own: str, other: str) -> None:
        assert {own, other} == {self._lane.client_address, self._lane.address}
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def mtu(self) -> int:
        return self.told or self._lane.ends[self._side].mtu

    def send(self, train: Train) -> None:
        wire = self._lane.wire[self._side]
        for number in range(train.first, train.first + train.count):
            size = train.payload_bytes + HEADERS_BYTES
            if size > self.mtu():
                raise OSError(errno.EMSGSIZE, "message too long")
            if 0 < wire.told < size:
                self.told = wire.told
            for at in wire.arrivals(self._lane.now, train.payload_bytes):
                entry = (at, train.number, number, self._lane.now)
                self._lane.probers[self._other].inbox.append(entry)
            self._lane.now += train.gap_ns

    def collect(self, train: Train, wait_ns: int, patience_ns: int) -> Arrivals:
        until, taken = self._lane.now + wait_ns, list[tuple[int, int, int, int]]()
        for entry in sorted(entry for entry in self.inbox if entry[1] == train.number):
            if entry[0] > until + patience_ns or len({number for _, _, number, _ in taken}) == train.count:
                break
            until = max(until, entry[0])
            taken.append(entry)
        else:
            until += 0 if len({number for _, _, number, _ in taken}) == train.count else patience_ns
        self._lane.now = max(self._lane.now, until)
        return Arrivals(
            numbers=tuple(number for _, _, number, _ in taken),
            sent_ns=tuple(sent for _, _, _, sent in taken),
            delays_ns=tuple(at - sent for at, _, _, sent in taken),
        )

    def connect(self, timeout_ns: int) -> bool:
        shapes = [direction.shape for direction in self._lane.wire.values()]
        trip_ns = sum(0 if shape is None else shape.delay_ns for shape in shapes)
        deaf = any(shape is not None and getattr(shape.loss, "probability_ppm", 0) == PPM for shape in shapes)
        return not deaf and trip_ns <= timeout_ns

    def accept(self, timeout_ns: int) -> bool:
        return self.connect(timeout_ns)

    def send_first_flight(self, pause_ns: int) -> FirstFlight:
        self._lane.now += pause_ns
        shape = self._lane.ends[self._side]
        frame_bytes = shape.mtu + ETHERNET_BYTES if shape.segmentation == "wire" else 40_000
        packets = shape.initcwnd or 10
        held = 0 if self._lane.wire[self._side].shape is None else packets
        self.flight = FirstFlight(
            segments=packets,
            window=packets,
            retransmits=0,
            packets=held,
            packet_bytes=held * frame_bytes,
            congestion_control=shape.congestion_control or "cubic",
        )
        return self.flight

    def reset(self) -> None:
        self.flight = None

    def fill_queue(self, most: int) -> QueueFill:
        wire = self._lane.wire[self._side]
        if wire.shape is None or wire.limit is None:
            return QueueFill(packets=0, full=True, took_ns=0)
        return QueueFill(packets=min(wire.limit, most), full=wire.limit < most, took_ns=1000)
