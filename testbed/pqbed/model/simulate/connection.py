"""One fetch over TCP without loss, event by event: every segment and acknowledgement over both directions of the link.

CPU costs nothing here, as in virtual time. Queues are long enough, and nobody loses anything.
"""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pqbed.model.exchange import Exchange
from pqbed.model.frames import SYN_WIRE_BYTES, segment_bytes
from pqbed.model.simulate.endpoint import ExpectedFlight, SimEndpoint, SimSegment
from pqbed.model.simulate.pipe import Pipe
from pqbed.model.simulate.receiver import DELAYED_ACK_NS, FIRST_WINDOW_BYTES, SimReceiver
from pqbed.model.simulate.sender import SimSender
from pqbed.spec.cell import Cell
from pqbed.spec.shape import SIDES, Side, bottleneck_of, delay_of, rate_of, shape_end


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFetch:
    """The milestones of the client in ns from its SYN, and the flights in their order.

    Every ns of `last_byte_ns` is one of: `connect_ns`, two round trips, a flight's serialisation, its waiting.
    `overflowed`: a queue of the link would not have held all that was sent, so some of it would have been lost.
    """

    connect_ns: int
    tls_done_ns: int
    first_byte_ns: int
    last_byte_ns: int
    hello: ExpectedFlight
    server_flight: ExpectedFlight
    client_flight: ExpectedFlight
    response: ExpectedFlight
    overflowed: bool


def simulate_fetch(cell: Cell, exchange: Exchange) -> ExpectedFetch:
    """Return what a fetch of `exchange` in `cell` takes without loss or jitter."""
    return _Connection(cell, exchange).run()


class _Event(NamedTuple):
    """Something at `side`: a segment arrives, or (None) its delayed acknowledgement is due for the byte `due`."""

    at_ns: int
    number: int
    side: Side
    segment: SimSegment | None
    due: int = 0


class _Connection:
    def __init__(self, cell: Cell, exchange: Exchange) -> None:
        self._exchange = exchange
        self._hello_bytes, self._client_bytes = sum(exchange.client_hello), exchange.client_bytes
        self._server_bytes, self._response_bytes = exchange.server_bytes, sum(exchange.response)
        self._rtt_ns = cell.link.rtt_ns
        self._ends = {side: _make_endpoint(cell, side) for side in SIDES}
        self._events: list[_Event] = []
        self._numbers = itertools.count()
        self._times: dict[str, int] = {}
        self._flights: dict[str, ExpectedFlight] = {}

    def run(self) -> ExpectedFetch:
        self._open()
        while "last_byte_ns" not in self._times:
            event = heapq.heappop(self._events)
            if event.segment is None:
                self._send_delayed_ack(event)
            else:
                self._arrive(event.at_ns, event.side, event.segment)
        times, flights = self._times, self._flights
        return ExpectedFetch(
            connect_ns=times["connect_ns"],
            tls_done_ns=times["tls_done_ns"],
            first_byte_ns=times["first_byte_ns"],
            last_byte_ns=times["last_byte_ns"],
            hello=flights["hello"],
            server_flight=flights["server_flight"],
            client_flight=flights["client_flight"],
            response=flights["response"],
            overflowed=any(end.pipe.overflowed for end in self._ends.values()),
        )

    def _open(self) -> None:
        """Do TCP's handshake, and write the ClientHello behind the acknowledgement that ends it."""
        client, server = self._ends["client"], self._ends["server"]
        now_ns = server.pipe.send(client.pipe.send(0, SYN_WIRE_BYTES), SYN_WIRE_BYTES)
        self._times["connect_ns"] = now_ns
        self._deliver("client", [client.acknowledge(now_ns)])
        client.begin_flight(now_ns)
        self._write(now_ns, "client", self._exchange.client_hello)

    def _arrive(self, now_ns: int, side: Side, segment: SimSegment) -> None:
        end = self._ends[side]
        end.sender.note_ack(now_ns, segment.acknowledged, segment.limit)
        self._deliver(side, end.release(now_ns))
        if not segment.size_bytes:
            return
        if end.receiver.receive(now_ns, segment.size_bytes, self._rtt_ns, pushed=segment.pushed):
            self._deliver(side, [end.acknowledge(now_ns)])
        elif end.receiver.acknowledged < end.receiver.received:
            due = end.receiver.received
            late = _Event(now_ns + DELAYED_ACK_NS, next(self._numbers), side, None, due)
            heapq.heappush(self._events, late)
        if side == "server":
            self._serve(now_ns, end.receiver.received)
        else:
            self._read(now_ns, end.receiver.received)

    def _serve(self, now_ns: int, received: int) -> None:
        exchange, server = self._exchange, self._ends["server"]
        if received >= self._hello_bytes and "hello" not in self._flights:
            self._flights["hello"] = self._ends["client"].end_flight(now_ns)
            server.begin_flight(now_ns)
            self._write(now_ns, "server", exchange.server_flight)
        elif received >= self._client_bytes and "client_flight" not in self._flights:
            self._flights["client_flight"] = self._ends["client"].end_flight(now_ns)
            server.begin_flight(now_ns)
            self._write(now_ns, "server", exchange.response)

    def _read(self, now_ns: int, received: int) -> None:
        exchange, client = self._exchange, self._ends["client"]
        flight = self._server_bytes
        if received >= flight and "server_flight" not in self._flights:
            self._flights["server_flight"] = self._ends["server"].end_flight(now_ns)
            self._times["tls_done_ns"] = now_ns
            client.begin_flight(now_ns)
            self._write(now_ns, "client", exchange.client_flight)
        if received >= flight + exchange.first_record_bytes:
            self._times.setdefault("first_byte_ns", now_ns)
        if received >= flight + self._response_bytes:
            self._flights["response"] = self._ends["server"].end_flight(now_ns)
            self._times["last_byte_ns"] = now_ns

    def _send_delayed_ack(self, event: _Event) -> None:
        receiver = self._ends[event.side].receiver
        if receiver.acknowledged < event.due:
            self._deliver(event.side, [self._ends[event.side].acknowledge(event.at_ns)])

    def _write(self, now_ns: int, side: Side, writes: Iterable[int]) -> None:
        for size_bytes in writes:
            self._deliver(side, self._ends[side].write(now_ns, size_bytes))

    def _deliver(self, side: Side, sent: Iterable[tuple[int, SimSegment]]) -> None:
        other: Side = "client" if side == "server" else "server"
        for arrival_ns, segment in sent:
            heapq.heappush(self._events, _Event(arrival_ns, next(self._numbers), other, segment))


def _make_endpoint(cell: Cell, side: Side) -> SimEndpoint:
    mss = segment_bytes(cell.tcp.mtu)
    shape = shape_end(cell.link, cell.tcp, side, 0)
    offered = min(FIRST_WINDOW_BYTES, cell.tcp.initrwnd * mss or FIRST_WINDOW_BYTES)
    return SimEndpoint(
        _make_pipe(cell, side),
        SimSender(window=shape.initcwnd, mss=mss, peer_limit=offered),
        SimReceiver(mss=mss, window=offered),
    )


def _make_pipe(cell: Cell, side: Side) -> Pipe:
    """Return the direction of the link that `side` sends on. At an end netem's limit holds the delay line too."""
    delay_ns = delay_of(cell.link, side)
    at_end = cell.link.layout == "ends"
    return Pipe(
        rate_bps=rate_of(cell.link, side),
        delay_ns=delay_ns,
        limit=bottleneck_of(cell.link, cell.tcp, side).limit_packets or None,
        held_ns=delay_ns if at_end else 0,
    )
