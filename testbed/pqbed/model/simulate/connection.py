"""One fetch over TCP without loss, event by event: every segment and acknowledgement over both directions of the link.

CPU costs nothing here, as in virtual time. Queues are long enough, and nobody loses anything.
"""

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import NamedTuple

from pqbed.model.frames import TCP_IP_BYTES, segment_bytes
from pqbed.model.simulate.endpoint import NO_FLIGHT, ExpectedFlight, SimEndpoint
from pqbed.model.simulate.handshake import client_syn, server_syn
from pqbed.model.simulate.jiffies import stamp_ms
from pqbed.model.simulate.link_direction import Pipe
from pqbed.model.simulate.packet_names import name_packets
from pqbed.model.simulate.segment import SimSegment
from pqbed.model.tls_exchange import Exchange
from pqbed.spec.cell import Cell
from pqbed.spec.drop_list import NO_DROPS
from pqbed.spec.link import Link, RandomLoss
from pqbed.spec.link_end_shape import queue_limit, shape_end
from pqbed.spec.link_sides import SIDES, Side, delay_of, largest_sent, path_mtu_of, rate_of
from pqbed.spec.steady_link import steady_link
from pqbed.spec.tcp import Tcp

# What a listening socket and a connecting one offer at first, in whole segments (tcp_select_initial_window); the
# client counts those of a SYN, which has no time stamps in its way.
_FIRST_ROOM_BYTES = 65_536
_STAMP_BYTES = 12
_FIRST_THRESHOLD_AFTER_TIMEOUT = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFetch:
    """The milestones of the client in ns from its SYN, and the flights in their order.

    Every ns of `last_byte_ns` is one of: `connect_ns`, two round trips, a flight's serialisation, its waiting. With
    early data there is one round trip, and the response waits behind the server's flight, so that one does not count.
    A HelloRetryRequest takes one round trip more, with two flights of its own.
    Of a reused connection all is counted from its last request, without the flights of the handshake: one round trip.
    `overflowed`: a queue of the link would not have held all that was sent, so some of it would have been lost.
    The last three count what was sent again although nothing was lost: SYNs and SYN-ACKs, and segments of each side.
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
    syns_repeated: int
    client_repeated: int
    server_repeated: int
    hello_retry_ns: int | None = None
    retry: ExpectedFlight = NO_FLIGHT
    second_hello: ExpectedFlight = NO_FLIGHT


def simulate_fetch(cell: Cell, exchange: Exchange) -> ExpectedFetch:
    """Return what a fetch of `exchange` in `cell` takes without loss or jitter."""
    return _simulate(_lossless(cell.link), cell.tcp, exchange)


def list_packets(cell: Cell, exchange: Exchange) -> dict[Side, tuple[str, ...]]:
    """Return the names of the packets that each side sends in a fetch without loss or jitter, in their order."""
    connection = _Connection(_lossless(cell.link), cell.tcp, exchange)
    connection.run()
    return connection.packets


def _lossless(link: Link) -> Link:
    clamps = path_mtu_of(link, "clamped") > 0
    return replace(
        steady_link(link),
        loss=RandomLoss(),
        loss_up=None,
        drop=NO_DROPS,
        path_mtu=link.path_mtu if clamps else None,
    )


@lru_cache(maxsize=1024)
def _simulate(link: Link, tcp: Tcp, exchange: Exchange) -> ExpectedFetch:
    """Do it once for all cells that differ in their loss, and for both copies of a baseline."""
    return _Connection(link, tcp, exchange).run()


class _Event(NamedTuple):
    """Something that happens; what was foreseen earlier comes first at the same time."""

    at_ns: int
    number: int
    act: Callable[[int], None]


class _Connection:
    def __init__(self, link: Link, tcp: Tcp, exchange: Exchange) -> None:
        self._exchange = exchange
        self._hello_bytes = exchange.hello_bytes
        finished = exchange.client_flight if exchange.early_bytes else exchange.client_flight[:-1]
        self._second_bytes = sum(exchange.client_hello) + exchange.second_hello_bytes
        self._finished_bytes = self._second_bytes + sum(finished)
        self._tickets_given = not exchange.tickets
        self._flight_bytes = exchange.retry_bytes + exchange.server_bytes
        self._response_bytes = sum(exchange.response)
        # What the server has when it has been asked, and the client before the answer begins.
        self._asked_bytes = exchange.client_bytes
        self._answered_bytes = self._flight_bytes + (0 if exchange.early_bytes else sum(exchange.tickets))
        self._requests_left = exchange.requests
        self._start_ns = 0
        self._ends = {side: _make_endpoint(link, tcp, side, _records(exchange, side)) for side in SIDES}
        pipes = {side: end.pipe for side, end in self._ends.items()}
        self._syn = client_syn(pipes["client"], holds_frames=link.layout == "ends")
        self._syn_ack = server_syn(pipes["server"])
        self._events: list[_Event] = []
        self._numbers = itertools.count()
        self._timers: dict[tuple[Side, str], int | None] = {}
        self._times: dict[str, int] = {}
        self._flights: dict[str, ExpectedFlight] = {}
        self._begun: set[str] = set()
        self._accepted = False

    def run(self) -> ExpectedFetch:
        self._at(self._syn.send(0), self._take_syn)
        self._watch_syns()
        while "last_byte_ns" not in self._times:
            event = heapq.heappop(self._events)
            event.act(event.at_ns)
        times = {name: at_ns - self._start_ns for name, at_ns in self._times.items()}
        # Of a fetch with early data the client's last flight may still be on its way.
        flights = {"client_flight": NO_FLIGHT, "retry": NO_FLIGHT, "second_hello": NO_FLIGHT, **self._flights}
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
            syns_repeated=self._syn.repeated + self._syn_ack.repeated,
            client_repeated=self._ends["client"].sender.repeated,
            server_repeated=self._ends["server"].sender.repeated,
            hello_retry_ns=times.get("hello_retry_ns"),
            retry=flights["retry"],
            second_hello=flights["second_hello"],
        )

    @property
    def packets(self) -> dict[Side, tuple[str, ...]]:
        """Return the names of the packets that were sent so far, by side."""
        syns: dict[Side, int] = {"client": self._syn.repeated + 1, "server": self._syn_ack.repeated + 1}
        return {side: name_packets(side, syns[side], end.sent, self._exchange) for side, end in self._ends.items()}

    def _at(self, at_ns: int, act: Callable[[int], None]) -> None:
        heapq.heappush(self._events, _Event(at_ns, next(self._numbers), act))

    def _take_syn(self, now_ns: int) -> None:
        if self._syn_ack.sent_ns < 0:
            self._at(self._syn_ack.send(now_ns), self._take_syn_ack)
        elif self._accepted:
            self._ends["server"].acknowledge(now_ns)
            self._deliver("server")
        elif (arrival_ns := self._syn_ack.answer_again(now_ns)) is not None:
            self._at(arrival_ns, self._take_syn_ack)
        self._watch_syns()

    def _take_syn_ack(self, now_ns: int) -> None:
        """Answer, and write the ClientHello behind the acknowledgement that ends TCP's handshake."""
        client = self._ends["client"]
        if "connect_ns" in self._times:
            client.acknowledge(now_ns)
            self._deliver("client")
            return
        self._times["connect_ns"] = now_ns
        self._syn.timer_ns = None
        self._watch_syns()
        rtt_us = now_ns // 1000 - self._syn.sent_ns // 1000
        if self._syn.repeated:
            rtt_us = (stamp_ms(now_ns) - stamp_ms(self._syn.sent_ns)) * 1000
        if self._syn.timeouts:
            client.sender.cubic.threshold = _FIRST_THRESHOLD_AFTER_TIMEOUT
        client.sender.rtt.update(rtt_us, rtt_us, 0, 0)
        client.sender.queue.rack.rtt_us = rtt_us
        client.open(now_ns, stamp_ms(self._syn_ack.sent_ns))
        client.acknowledge(now_ns)
        client.begin_flight(now_ns, self._hello_bytes)
        self._write(now_ns, "client", self._exchange.client_hello)

    def _accept(self, now_ns: int, echo_ms: int) -> None:
        """Make a connection of the first segment that answers the SYN-ACK."""
        server = self._ends["server"]
        self._accepted = True
        self._syn_ack.timer_ns = None
        self._watch_syns()
        rtt_us = now_ns // 1000 - self._syn_ack.sent_ns // 1000
        if self._syn_ack.repeated:
            rtt_us = (stamp_ms(now_ns) - echo_ms) * 1000
        server.sender.rtt.update(rtt_us, rtt_us, 0, 0)
        server.open(now_ns, stamp_ms(self._syn.sent_ns))

    def _arrive(self, now_ns: int, side: Side, segment: SimSegment) -> None:
        if side == "server" and not self._accepted:
            self._accept(now_ns, segment.echo_ms)
        if self._ends[side].arrive(now_ns, segment):
            if side == "server":
                self._serve(now_ns)
            else:
                self._read(now_ns)
        if self._ends[side].wake():
            self._ends[side].write(now_ns)
        self._deliver(side)

    def _serve(self, now_ns: int) -> None:
        exchange, server = self._exchange, self._ends["server"]
        server.read(now_ns)
        received = server.receiver.window.received
        if received >= self._hello_bytes and "hello" not in self._flights:
            self._flights["hello"] = self._ends["client"].end_flight(now_ns)
            self._begin(now_ns, "server", exchange.retry or exchange.server_flight)
        if exchange.retry and received >= self._second_bytes and "second_hello" not in self._flights:
            self._flights["second_hello"] = self._ends["client"].end_flight(now_ns)
            self._begin(now_ns, "server", exchange.server_flight)
        if received >= self._finished_bytes and not self._tickets_given:
            self._tickets_given = True
            self._give_tickets(now_ns)
        if exchange.early_bytes and "response" not in self._begun and received >= sum(exchange.client_hello):
            self._respond(now_ns)
        if received >= self._asked_bytes and "client_flight" not in self._flights:
            self._flights["client_flight"] = self._ends["client"].end_flight(now_ns)
            if not exchange.early_bytes:
                self._respond(now_ns)
        self._deliver("server")

    def _give_tickets(self, now_ns: int) -> None:
        """Write the tickets: before the response, or behind all of one to early data, whose last segment they fill."""
        self._write(now_ns, "server", (sum(self._exchange.tickets),))

    def _respond(self, now_ns: int) -> None:
        self._begun.add("response")
        self._ends["server"].begin_flight(now_ns, self._response_bytes)
        self._write(now_ns, "server", self._exchange.response)

    def _read(self, now_ns: int) -> None:
        exchange, client = self._exchange, self._ends["client"]
        client.read(now_ns)
        received = client.receiver.window.received
        if exchange.retry and received >= exchange.retry_bytes and "retry" not in self._flights:
            self._flights["retry"] = self._ends["server"].end_flight(now_ns)
            self._times["hello_retry_ns"] = now_ns
            self._begin(now_ns, "client", exchange.second_hello)
        if received >= self._flight_bytes and "server_flight" not in self._flights:
            self._flights["server_flight"] = self._ends["server"].end_flight(now_ns)
            self._times["tls_done_ns"] = now_ns
            self._begin(now_ns, "client", exchange.client_flight)
        if received >= self._answered_bytes + exchange.response[0]:
            self._times.setdefault("first_byte_ns", now_ns)
        if received >= self._answered_bytes + self._response_bytes:
            self._flights["response"] = self._ends["server"].end_flight(now_ns)
            self._requests_left -= 1
            if self._requests_left:
                self._at(now_ns + exchange.idle_ns, self._ask_again)
            else:
                self._times["last_byte_ns"] = now_ns
        self._deliver("client")

    def _ask_again(self, now_ns: int) -> None:
        """Send the next request of the connection, and count from here."""
        self._start_ns = now_ns
        self._answered_bytes += self._response_bytes
        request = self._exchange.client_flight[-1]
        self._asked_bytes += request
        self._times = {"connect_ns": now_ns, "tls_done_ns": now_ns}
        self._flights = dict.fromkeys(("hello", "retry", "second_hello", "server_flight"), NO_FLIGHT)
        self._ends["client"].begin_flight(now_ns, request)
        self._write(now_ns, "client", (request,))

    def _begin(self, now_ns: int, side: Side, writes: tuple[int, ...]) -> None:
        """Start counting a flight, and write it."""
        self._ends[side].begin_flight(now_ns, sum(writes))
        self._write(now_ns, side, writes)

    def _write(self, now_ns: int, side: Side, writes: Iterable[int]) -> None:
        self._ends[side].write(now_ns, writes)
        self._deliver(side)

    def _deliver(self, side: Side) -> None:
        """Put what `side` has sent on its way, and watch its timers."""
        end = self._ends[side]
        other: Side = "client" if side == "server" else "server"
        for arrival_ns, segment in end.outbox:
            self._at(arrival_ns, partial(self._arrive, side=other, segment=segment))
        end.outbox.clear()
        self._watch_timer((side, "send"), end.sender.timer_ns if end.sender.timer else None, end.fire)
        self._watch_timer((side, "acknowledge"), end.receiver.delay_ns, end.fire_delayed)

    def _watch_timer(self, timer: tuple[Side, str], at_ns: int | None, fire: Callable[[int], None]) -> None:
        """Let `timer` fire at `at_ns`, unless it is set to another time before; None: not at all."""
        if self._timers.get(timer) == at_ns:
            return
        self._timers[timer] = at_ns

        def act(now_ns: int) -> None:
            if self._timers[timer] == now_ns:
                self._timers[timer] = None
                fire(now_ns)
                self._deliver(timer[0])

        if at_ns is not None:
            self._at(at_ns, act)

    def _watch_syns(self) -> None:
        self._watch_timer(("client", "syn"), self._syn.timer_ns, self._fire_syn)
        self._watch_timer(("server", "syn"), self._syn_ack.timer_ns, self._fire_syn_ack)

    def _fire_syn(self, now_ns: int) -> None:
        if (arrival_ns := self._syn.fire(now_ns)) is not None:
            self._at(arrival_ns, self._take_syn)
        self._watch_syns()

    def _fire_syn_ack(self, now_ns: int) -> None:
        if (arrival_ns := self._syn_ack.fire(now_ns)) is not None:
            self._at(arrival_ns, self._take_syn_ack)
        self._watch_syns()


def _records(exchange: Exchange, side: Side) -> tuple[int, ...]:
    """Return the ends of the records that `side` receives; those of a flight of the handshake count as one."""
    if side == "server":
        again = exchange.client_flight[-1:] * (exchange.requests - 1)
        early = (exchange.early_bytes,) if exchange.early_bytes else ()
        second = (exchange.second_hello_bytes,) if exchange.retry else ()
        sizes: tuple[int, ...] = (exchange.hello_bytes, *early, *second, *exchange.client_flight, *again)
    else:
        tickets = () if exchange.early_bytes else exchange.tickets
        retry = (exchange.retry_bytes,) if exchange.retry else ()
        sizes = (*retry, exchange.server_bytes, *tickets, *exchange.response * exchange.requests)
    return tuple(itertools.accumulate(sizes))


def _make_endpoint(link: Link, tcp: Tcp, side: Side, records: tuple[int, ...]) -> SimEndpoint:
    largest = largest_sent(link, tcp)
    offers = {other: _offer(tcp, largest, other) for other in SIDES}
    return SimEndpoint(
        _make_pipe(link, tcp, side),
        mss=segment_bytes(largest),
        window=shape_end(link, tcp, side, 0).initcwnd,
        offered=offers[side],
        limit=offers["client" if side == "server" else "server"],
        holds_frames=link.layout == "ends",
        records=records,
    )


def _offer(tcp: Tcp, largest: int, side: Side) -> int:
    """Return the first receive window of `side`, in its SYN."""
    segment = largest - TCP_IP_BYTES + (_STAMP_BYTES if side == "client" else 0)
    offered = _FIRST_ROOM_BYTES // segment * segment
    return min(offered, tcp.initrwnd * segment) if tcp.initrwnd else offered


def _make_pipe(link: Link, tcp: Tcp, side: Side) -> Pipe:
    """Return the direction of the link that `side` sends on. At an end netem's limit holds the delay line too."""
    delay_ns = delay_of(link, side)
    at_end = link.layout == "ends"
    return Pipe(
        rate_bps=rate_of(link, side),
        delay_ns=delay_ns,
        limit=queue_limit(link, tcp, side),
        held_ns=delay_ns if at_end else 0,
    )
