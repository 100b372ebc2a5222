"""The difference of two expected fetches broken down, flight by flight: bytes at the rate, and waiting."""

from dataclasses import dataclass

from pqbed.model.frames import FRAME_OVERHEAD_BYTES
from pqbed.model.simulate.connection import ExpectedFetch
from pqbed.model.simulate.endpoint import ExpectedFlight
from pqbed.spec.cell import Cell
from pqbed.spec.link_sides import Side, rate_of

# Field of ExpectedFetch, what people call it, and who sends it.
FLIGHTS: tuple[tuple[str, str, Side], ...] = (
    ("hello", "ClientHello", "client"),
    ("retry", "HelloRetryRequest", "server"),
    ("second_hello", "second ClientHello", "client"),
    ("server_flight", "server flight", "server"),
    ("client_flight", "client's second flight", "client"),
    ("response", "response", "server"),
)
# Waiting is reported in round trips if it is this close to whole ones, and not at all below this share of one.
WHOLE_WITHIN = 0.08
LEAST_RTT, LEAST_NS = 0.02, 100_000
_NS_PER_MS = 1_000_000
_RATES = ((10**9, "Gbit/s"), (10**6, "Mbit/s"), (10**3, "kbit/s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The difference in ns, its parts, which add up to it but for the connect, and the reasons in words.

    `retried_ns` is the round trip of a HelloRetryRequest that one of the two has.
    """

    difference_ns: int
    serial_ns: int
    waited_ns: int
    retried_ns: int
    reasons: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"{milliseconds(self.difference_ns)}: {'; '.join(self.reasons)}"


def break_down_difference(cell: Cell, arm: ExpectedFetch, base: ExpectedFetch) -> Breakdown:
    """Return why `arm` takes longer than `base`; both under the conditions of `cell`, the arm's."""
    serial_ns = waited_ns = 0
    trips = bool(arm.retry.segments) - bool(base.retry.segments)
    retried = [f"{trips:+d} RTT: HelloRetryRequest"] if trips else []
    reasons = [*_bytes(cell, arm, base), *retried]
    repeats, usual = (describe_repeats(expected) for expected in (arm, base))
    for name, label, side in FLIGHTS:
        ours, theirs = flight(arm, name), flight(base, name)
        serial_ns += ours.serial_ns - theirs.serial_ns
        waited_ns += ours.waited_ns - theirs.waited_ns
        if (repeats or usual) and max(ours.rounds, theirs.rounds) == 1:
            reasons += _waiting(cell, ours, theirs, f"{label} behind spurious retransmissions")
        else:
            reasons += _waiting(cell, ours, theirs, _cause(cell, label, side, ours, theirs))
    if repeats != usual:
        reasons.append(f"spurious retransmissions: {repeats or 'none'} (baseline: {usual or 'none'})")
    if not any("RTT" in reason or "waiting" in reason for reason in reasons):
        reasons.append(_nothing_more(cell, arm))
    return Breakdown(
        difference_ns=arm.last_byte_ns - base.last_byte_ns,
        serial_ns=serial_ns,
        waited_ns=waited_ns,
        retried_ns=trips * cell.link.rtt_ns,
        reasons=tuple(reasons),
    )


def describe_repeats(expected: ExpectedFetch) -> str:
    """Say what timers sent again although nothing was lost: `2 segments of the client`; empty if nothing."""
    counts = (
        (expected.client_repeated, "segment{} of the client"),
        (expected.server_repeated, "segment{} of the server"),
        (expected.syns_repeated, "SYN or SYN-ACK segment{}"),
    )
    return ", ".join(f"{count} {noun.format('s' if count > 1 else '')}" for count, noun in counts if count)


def flight(expected: ExpectedFetch, name: str) -> ExpectedFlight:
    named: ExpectedFlight = getattr(expected, name)
    return named


def milliseconds(value_ns: int) -> str:
    """Return a difference for people: `+134 ms`, `-0.4 ms`."""
    value = value_ns / _NS_PER_MS
    return f"{value:+.0f} ms" if abs(value) >= 10 else f"{round(value, 1) + 0.0:+.1f} ms"


def _bytes(cell: Cell, arm: ExpectedFetch, base: ExpectedFetch) -> list[str]:
    """Say what more there is to send, in each direction that has a rate; once, where both have the same."""
    more = {"client": 0, "server": 0}
    for name, _, side in FLIGHTS:
        more[side] += _wire_bytes(flight(arm, name)) - _wire_bytes(flight(base, name))
    down, up = rate_of(cell.link, "server"), rate_of(cell.link, "client")
    if down == up:
        return _more(more["server"] + more["client"], down, "")
    return [*_more(more["server"], down, " down"), *_more(more["client"], up, " up")]


def _more(count: int, rate_bps: int | None, way: str) -> list[str]:
    if count == 0:
        return []
    amount = f"{abs(count) / 1000:.1f} KB" if abs(count) >= 1000 else f"{abs(count)} bytes"
    where = f"{way} without a rate limit" if rate_bps is None else f"{way} at {_rate(rate_bps)}"
    return [f"{amount} {'more' if count > 0 else 'less'}{where}"]


def _rate(rate_bps: int) -> str:
    scale, unit = next(((s, u) for s, u in _RATES if rate_bps >= s), (1, "bit/s"))
    return f"{rate_bps / scale:g} {unit}"


def _wire_bytes(flight_: ExpectedFlight) -> int:
    return flight_.payload_bytes + FRAME_OVERHEAD_BYTES * flight_.segments


def _waiting(cell: Cell, ours: ExpectedFlight, theirs: ExpectedFlight, cause: str) -> list[str]:
    """Say how much more a flight waits, and for what."""
    rtt_ns = cell.link.rtt_ns
    more_ns = ours.waited_ns - theirs.waited_ns
    if abs(more_ns) <= max(LEAST_RTT * rtt_ns, LEAST_NS):
        return []
    trips = more_ns / rtt_ns if rtt_ns else 0.0
    whole = round(trips)
    amount = f"{whole:+d} RTT" if whole and abs(trips - whole) < WHOLE_WITHIN else f"{milliseconds(more_ns)} of waiting"
    return [f"{amount}: {cause}"]


def _cause(cell: Cell, label: str, side: Side, ours: ExpectedFlight, theirs: ExpectedFlight) -> str:
    if label == "response":
        return _cause_in_response(ours, theirs)
    initcwnd = cell.tcp.initcwnd_server if side == "server" else cell.tcp.initcwnd_client
    count = f"{label} {ours.segments} segments"
    if ours.receiver_bound:
        return f"{count}, more than the receive window holds"
    if ours.segments > ours.window:
        return f"{count} > {'initcwnd' if ours.window == initcwnd else 'a window of'} {ours.window}"
    return f"{count} behind acknowledgements"


def _cause_in_response(ours: ExpectedFlight, theirs: ExpectedFlight) -> str:
    if ours.receiver_bound != theirs.receiver_bound:
        who = "this response" if ours.receiver_bound else "the baseline's"
        return f"the receive window holds {who} back"
    if ours.window > theirs.window:
        return f"the larger handshake had opened the window to {ours.window} segments (baseline: {theirs.window})"
    if ours.window < theirs.window:
        return f"the response begins with a window of {ours.window} segments (baseline: {theirs.window})"
    return f"the response goes in {ours.rounds} windows, the baseline's in {theirs.rounds}"


def _nothing_more(cell: Cell, arm: ExpectedFetch) -> str:
    window = cell.tcp.initcwnd_server
    if not arm.server_flight.segments:
        return "no extra round trip: no handshake"
    if arm.server_flight.segments <= window:
        return f"no extra round trip: server flight {arm.server_flight.segments} of {window} segments"
    return f"no extra round trip: the rate, not the window, holds back a server flight of {arm.server_flight.segments}"
