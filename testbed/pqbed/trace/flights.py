"""The flights of a connection, by what anyone on the path sees: TLS records, and who spoke when.

Nothing is decrypted. OpenSSL sends ServerHello to Finished without a pause, and a client's Finished and request are
records of their own, so a flight's borders lie where the turn changes or a record ends.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pqbed.spec.profile import Profile
from pqbed.spec.sample import Timings
from pqbed.tls.records import Record, walk_records
from pqbed.trace.segments import Segment

FlightName = Literal["SYN", "SYN-ACK", "ClientHello", "server flight", "client Finished", "request", "response"]

SERVER_FLIGHT = ("ServerHello", "EncryptedExtensions", "Certificate", "CertificateVerify", "Finished")


class _Span(NamedTuple):
    """Bytes `start` to `end` of one side."""

    name: FlightName
    up: bool
    messages: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """What one side sent without waiting for the other's say. Times in ns from the first SYN, None: never.

    It is bytes `start` to `end` of its sender. `segments` counts them as they were sent first, `repeated` what was
    sent again, `lost` either. `received_ns` is when the last byte of it had come.
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


def find_flights(segments: Sequence[Segment], profile: Profile, timings: Timings) -> tuple[Flight, ...]:
    """Return the flights in the order in which they began. One that never began is left out."""
    up, down = (_stream(segments, up=up) for up in (True, False))
    hello_end, request_at = _borders_up(_whole_records(up), len(up), answered=timings.tls_done_ns is not None)
    response_at = _response_start(segments, hello_end, len(down))
    own_chain = () if profile.clients_chain is None else ("Certificate", "CertificateVerify")
    asked = () if profile.clients_chain is None else ("CertificateRequest",)
    spans = (
        _Span("SYN", True, (), -1, 0),
        _Span("SYN-ACK", False, (), -1, 0),
        _Span("ClientHello", True, ("ClientHello",), 0, hello_end),
        _Span("server flight", False, (*SERVER_FLIGHT[:2], *asked, *SERVER_FLIGHT[2:]), 0, response_at),
        _Span("client Finished", True, (*own_chain, "Finished"), hello_end, request_at),
        _Span("request", True, ("request",), request_at, len(up)),
        _Span("response", False, ("response",), response_at, len(down)),
    )
    return tuple(flight for span in spans if (flight := _flight(segments, span)) is not None)


def _stream(segments: Iterable[Segment], *, up: bool) -> bytes:
    """Return all that one side has sent, each byte once."""
    whole = bytearray()
    for segment in segments:
        if segment.up == up and segment.data and segment.end > len(whole):
            whole += segment.data[len(whole) - segment.number :]
    return bytes(whole)


def _whole_records(stream: bytes) -> list[Record]:
    """Return the records up to where the stream stops or makes no sense: a fetch may have failed anywhere."""
    found: list[Record] = []
    try:
        for record in walk_records(stream):
            found.append(record)  # noqa: PERF402 - what came before the error is kept
    except ValueError:
        pass
    return found


def _borders_up(records: Sequence[Record], size: int, *, answered: bool) -> tuple[int, int]:
    """Return where the ClientHello ends and where the request begins: its record is the client's last."""
    hello_end = max((record.end for record in records if record.kind == "handshake"), default=size)
    sealed = [record for record in records if record.kind == "application_data"]
    if not answered or len(sealed) < 2:
        return hello_end, size
    return hello_end, sealed[-1].start


def _response_start(segments: Sequence[Segment], hello_end: int, size: int) -> int:
    """Return the first byte that the server sent only after it had heard more than the ClientHello."""
    heard_ns = min(
        (one.received_ns for one in segments if one.up and one.end > hello_end and one.received_ns is not None),
        default=None,
    )
    if heard_ns is None:
        return size
    after = [one.number for one in segments if not one.up and one.data and one.sent_ns >= heard_ns and not one.repeated]
    return min(after, default=size)


def _flight(segments: Sequence[Segment], span: _Span) -> Flight | None:
    own = [one for one in segments if one.up == span.up and one.carries and span.start <= one.number < span.end]
    if not own:
        return None
    came = [one.received_ns for one in own if one.received_ns is not None]
    return Flight(
        **span._asdict(),
        segments=sum(not one.repeated for one in own),
        repeated=sum(one.repeated for one in own),
        lost=sum(one.fate == "lost" for one in own),
        wire_bytes=sum(one.frame_bytes for one in own),
        first_sent_ns=own[0].sent_ns,
        last_sent_ns=own[-1].sent_ns,
        first_received_ns=min(came, default=None),
        received_ns=_complete_ns(own),
    )


def _complete_ns(own: Sequence[Segment]) -> int | None:
    """Return when all that `own` carries had come, None where some never did."""
    repeated = sorted((one for one in own if one.repeated and one.received_ns), key=lambda one: one.received_ns or 0)
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
    """Return when the last byte of a segment that did not come itself had come, in one piece or in several."""
    missing = set(range(first.number, max(first.end, first.number + 1)))
    for one in repeated:
        missing -= set(range(one.number, max(one.end, one.number + 1)))
        if not missing:
            return one.received_ns
    return None
