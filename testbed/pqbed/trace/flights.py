"""Flights of a connection, from what is visible on the path: TLS records, and who sent when.

Nothing is decrypted. OpenSSL sends ServerHello to Finished without a pause, and a client's Finished and request are
separate records, so a flight ends where the direction changes or a record ends.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pqbed.spec.connection import ConnectionKind
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Timings
from pqbed.tls.tls_records import Record, begins_with_retry, retry_records, walk_records
from pqbed.trace.segments import Segment

FlightName = Literal[
    "SYN",
    "SYN-ACK",
    "ClientHello",
    "HelloRetryRequest",
    "second ClientHello",
    "server flight",
    "client Finished",
    "request",
    "response",
]

SERVER_FLIGHT = ("ServerHello", "EncryptedExtensions", "Certificate", "CertificateVerify", "Finished")
RESUMED_FLIGHT = ("ServerHello", "EncryptedExtensions", "Finished")
# Sealed records of a resumed server flight: OpenSSL's EncryptedExtensions and Finished have one each.
_SEALED_IN_RESUMED = 2


class _Span(NamedTuple):
    """Bytes `start` to `end` of one side."""

    name: FlightName
    up: bool
    messages: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedFlight:
    """What one side sent without waiting for the other. Times in ns from the first SYN, None: never.

    Bytes `start` to `end` of its sender. `segments` counts first transmissions, `repeated` retransmissions, `lost`
    either. `received_ns` is when all of its bytes had arrived.
    """

    name: FlightName
    up: bool
    messages: tuple[str, ...]
    start: int
    end: int
    segments: int
    repeated: int
    lost: int
    wire_bytes: int
    first_sent_ns: int
    last_sent_ns: int
    first_received_ns: int | None
    received_ns: int | None

    @property
    def payload_bytes(self) -> int:
        return max(0, self.end - max(0, self.start))


def find_flights(
    segments: Sequence[Segment], profile: Profile, timings: Timings, kind: ConnectionKind = "full"
) -> tuple[ObservedFlight, ...]:
    """Return the flights that began, in order. A request as early data is one with the ClientHello."""
    if kind == "early":
        return tuple(flight for span in _early_spans(segments) if (flight := _flight(segments, span)) is not None)
    up, down = (_stream(segments, up=up) for up in (True, False))
    ours, theirs = _whole_records(up), _whole_records(down)
    hello_end, request_at = _borders_up(ours, len(up), answered=timings.tls_done_ns is not None)
    response_at = _response_start(segments, hello_end, len(down))
    own_chain = () if profile.clients_chain is None else ("Certificate", "CertificateVerify")
    asked = () if profile.clients_chain is None else ("CertificateRequest",)
    flight_messages = RESUMED_FLIGHT if kind == "resumed" else (*SERVER_FLIGHT[:2], *asked, *SERVER_FLIGHT[2:])
    if kind == "resumed":
        own_chain = ()
    tickets = ("NewSessionTicket",) if kind == "resumed" else ()
    first_end, retry_end = hello_end, 0
    if begins_with_retry(down) and theirs:
        first_end, retry_end = ours[0].end, retry_records(theirs)[-1].end
    spans = (
        _Span("SYN", True, (), -1, 0),
        _Span("SYN-ACK", False, (), -1, 0),
        _Span("ClientHello", True, ("ClientHello",), 0, first_end),
        _Span("HelloRetryRequest", False, ("HelloRetryRequest",), 0, retry_end),
        _Span("second ClientHello", True, ("ClientHello",), first_end, hello_end),
        _Span("server flight", False, flight_messages, retry_end, response_at),
        _Span("client Finished", True, (*own_chain, "Finished"), hello_end, request_at),
        _Span("request", True, ("request",), request_at, len(up)),
        _Span("response", False, (*tickets, "response"), response_at, len(down)),
    )
    return tuple(flight for span in spans if (flight := _flight(segments, span)) is not None)


def _early_spans(segments: Sequence[Segment]) -> tuple[_Span, ...]:
    """Lay out a fetch with early data: its request needs no answer, and the response follows the server's flight."""
    up, down = (_stream(segments, up=up) for up in (True, False))
    ours, theirs = _whole_records(up), _whole_records(down)
    early_end = next((record.end for record in ours if record.kind == "application_data"), len(up))
    sealed = [record.end for record in theirs if record.kind == "application_data"][:_SEALED_IN_RESUMED]
    response_at = sealed[-1] if len(sealed) == _SEALED_IN_RESUMED else len(down)
    return (
        _Span("SYN", True, (), -1, 0),
        _Span("SYN-ACK", False, (), -1, 0),
        _Span("ClientHello", True, ("ClientHello", "request as early data"), 0, early_end),
        _Span("server flight", False, RESUMED_FLIGHT, 0, response_at),
        _Span("response", False, ("response",), response_at, len(down)),
        _Span("client Finished", True, ("EndOfEarlyData", "Finished"), early_end, len(up)),
    )


def _stream(segments: Iterable[Segment], *, up: bool) -> bytes:
    """Return all bytes that one side sent, each once."""
    whole = bytearray()
    for segment in segments:
        if segment.up == up and segment.data and segment.end > len(whole):
            whole += segment.data[len(whole) - segment.number :]
    return bytes(whole)


def _whole_records(stream: bytes) -> list[Record]:
    """Return the records up to where the stream ends or is invalid: a fetch may fail anywhere."""
    records: list[Record] = []
    try:
        for record in walk_records(stream):
            records.append(record)  # noqa: PERF402 - records before the error are kept
    except ValueError:
        pass
    return records


def _borders_up(records: Sequence[Record], size: int, *, answered: bool) -> tuple[int, int]:
    """Return where the ClientHello ends and where the request begins: its record is the client's last."""
    hello_end = max((record.end for record in records if record.kind == "handshake"), default=size)
    sealed = [record for record in records if record.kind == "application_data"]
    if not answered or len(sealed) < 2:
        return hello_end, size
    return hello_end, sealed[-1].start


def _response_start(segments: Sequence[Segment], hello_end: int, size: int) -> int:
    """Return the first byte that the server sent after it had received more than the ClientHello."""
    answered_ns = min(
        (
            segment.received_ns
            for segment in segments
            if segment.up and segment.end > hello_end and segment.received_ns is not None
        ),
        default=None,
    )
    if answered_ns is None:
        return size
    after = [
        segment.number
        for segment in segments
        if not segment.up and segment.data and segment.sent_ns >= answered_ns and not segment.repeated
    ]
    return min(after, default=size)


def _flight(segments: Sequence[Segment], span: _Span) -> ObservedFlight | None:
    own = [
        segment
        for segment in segments
        if segment.up == span.up and segment.carries and span.start <= segment.number < span.end
    ]
    if not own:
        return None
    arrivals = [segment.received_ns for segment in own if segment.received_ns is not None]
    return ObservedFlight(
        **span._asdict(),
        segments=sum(not segment.repeated for segment in own),
        repeated=sum(segment.repeated for segment in own),
        lost=sum(segment.fate == "lost" for segment in own),
        wire_bytes=sum(segment.frame_bytes for segment in own),
        first_sent_ns=own[0].sent_ns,
        last_sent_ns=own[-1].sent_ns,
        first_received_ns=min(arrivals, default=None),
        received_ns=_complete_ns(own),
    )


def _complete_ns(own: Sequence[Segment]) -> int | None:
    """Return when all bytes of `own` had arrived, None if some never did."""
    repeated = sorted(
        (segment for segment in own if segment.repeated and segment.received_ns),
        key=lambda segment: segment.received_ns or 0,
    )
    latest = 0
    for first in own:
        if first.repeated:
            continue
        came_ns = first.received_ns or _repeated_ns(first, repeated)
        if came_ns is None:
            return None
        latest = max(latest, came_ns)
    return latest


def _repeated_ns(first: Segment, repeated: Sequence[Segment]) -> int | None:
    """Return when the bytes of a lost segment had arrived by retransmission, in one piece or in several."""
    missing = set(range(first.number, max(first.end, first.number + 1)))
    for segment in repeated:
        missing -= set(range(segment.number, max(segment.end, segment.number + 1)))
        if not missing:
            return segment.received_ns
    return None
