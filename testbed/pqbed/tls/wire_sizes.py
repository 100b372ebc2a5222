"""Sizes of a connection's TLS records, learned from one fetch: hello, flights, request and response.

Exact for any stack and algorithm, since nothing has to be known of either (RFC 8446 5: the length of an encrypted
record is not hidden). ECDSA signatures vary by some bytes from one handshake to the next.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pqbed.tls.hello_shares import read_key_shares
from pqbed.tls.tls_records import HEADER_BYTES, SEALING_BYTES, Record, begins_with_retry, retry_records, walk_records

# The body of the fetch that is learned from: long enough to show how a server cuts a response into records.
PROBE_BYTES = 65_536
SEAL_BYTES = HEADER_BYTES + SEALING_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class WireSizes:
    """Bytes on the wire, headers and tags of records included.

    `server_flight` and `client_flight` are the records from ServerHello to Finished and from there to the request, in
    order. `response` are (bytes, number) of equal records in a row; `response_header_bytes` is the content that is not
    body. `request_bytes` and they are those of a body of `body_bytes`.
    `tickets` are the records that give new sessions. `retry` are the records of a HelloRetryRequest and
    `second_hello` those that answer it; none without one. The request of a fetch with early data is not
    in `client_flight`: it comes before the server's.
    """

    client_hello_bytes: int
    server_flight: tuple[int, ...]
    client_flight: tuple[int, ...]
    request_bytes: int
    response_header_bytes: int
    response: tuple[tuple[int, ...], ...]
    tickets: tuple[int, ...] = ()
    retry: tuple[int, ...] = ()
    second_hello: tuple[int, ...] = ()
    body_bytes: int = PROBE_BYTES
    # Of the client and of the server; not kept with a run.
    key_shares: tuple[int, int] | None = None

    def request_of(self, size_bytes: int) -> int:
        """Return the size of the request for a body of `size_bytes`, which its path names."""
        return self.request_bytes + self._more_digits(size_bytes)

    def response_of(self, size_bytes: int) -> tuple[int, ...]:
        """Return the records of a response with a body of `size_bytes`; longer ones go on in the longest record."""
        left = self.response_header_bytes + self._more_digits(size_bytes) + size_bytes
        records = []
        for record in self._response_records():
            if left <= 0:
                break
            content = min(left, record - SEAL_BYTES)
            records.append(content + SEAL_BYTES)
            left -= content
        return tuple(records)

    def _more_digits(self, size_bytes: int) -> int:
        return len(str(size_bytes)) - len(str(self.body_bytes))

    def _response_records(self) -> Iterator[int]:
        # The last record was cut short by the end of the body.
        *whole, _last = (record for record, number in self.response for _ in range(number))
        yield from whole
        yield from itertools.repeat(max(whole, default=_last))


# By the name of the profile and the kind of connection (spec/connection.py).
LearnedSizes = dict[str, dict[str, WireSizes]]


def read_wire_sizes(
    sent: bytes, received: bytes, answered_at: Iterable[int], body_bytes: int, header_bytes: int | None = None
) -> WireSizes | None:
    """Return the sizes of a connection over which one body of `body_bytes` was fetched; None if it was no such fetch.

    `sent` is what the client wrote, `received` what the server did, `answered_at` how much of it was there each time
    that the client answered. `header_bytes` is the content of the response that is not body, where it is known: what
    else comes are tickets.
    """
    try:
        ours, theirs = list(walk_records(sent)), list(walk_records(received))
    except ValueError:
        return None
    hello = _first_hello(sent, ours)
    retry = retry_records(theirs) if begins_with_retry(received) else []
    second = _second_hello(ours[len(hello) :]) if retry else []
    first_flight = _first_flight(theirs, answered_at)
    flight = first_flight[len(retry) :]
    later = [record for record in theirs[len(first_flight) :] if record.kind == "application_data"]
    response = later if header_bytes is None else _find_response(later, header_bytes + body_bytes)
    *rest, request = ours[len(hello) + len(second) :] or (None,)
    content = sum(record.content_bytes for record in response)
    if not hello or not flight or not isinstance(request, Record) or content < body_bytes:
        return None
    return WireSizes(
        client_hello_bytes=hello[-1].end,
        server_flight=tuple(_size(record) for record in flight),
        client_flight=tuple(_size(record) for record in rest if isinstance(record, Record)),
        request_bytes=_size(request),
        response_header_bytes=content - body_bytes,
        response=tuple((size, len(list(run))) for size, run in itertools.groupby(map(_size, response))),
        tickets=tuple(_size(record) for record in itertools.takewhile(lambda record: record not in response, later)),
        retry=tuple(map(_size, retry)),
        second_hello=tuple(map(_size, second)),
        body_bytes=body_bytes,
        key_shares=read_key_shares(sent, received),
    )


def read_early_wire_sizes(sent: bytes, received: bytes, body_bytes: int, header_bytes: int) -> WireSizes | None:
    """Return the sizes of a connection whose request came as early data; None if it was no such fetch.

    The server may answer it with its first flight, so only the length of the response tells them apart.
    """
    try:
        ours, theirs = list(walk_records(sent)), list(walk_records(received))
    except ValueError:
        return None
    hello = list(itertools.takewhile(lambda record: record.kind == "handshake", ours))
    early = [record for record in ours[len(hello) :] if record.kind == "application_data"][:1]
    response = _find_response(theirs, header_bytes + body_bytes)
    flight = tuple(_size(record) for record in ours if early and record.start >= early[0].end)
    if not hello or not flight or not response:
        return None
    return WireSizes(
        client_hello_bytes=hello[-1].end,
        server_flight=tuple(_size(record) for record in itertools.takewhile(lambda one: one != response[0], theirs)),
        client_flight=flight,
        request_bytes=early[0].end - hello[-1].end,
        response_header_bytes=header_bytes,
        response=tuple((size, len(list(run))) for size, run in itertools.groupby(map(_size, response))),
        tickets=tuple(_size(record) for record in theirs if record.start >= response[-1].end),
        body_bytes=body_bytes,
    )


def _first_hello(stream: bytes, records: list[Record]) -> list[Record]:
    """Return the records of the first ClientHello: a second one may follow at once (Go changes no cipher before it)."""
    message_bytes = 4 + int.from_bytes(stream[HEADER_BYTES + 1 : HEADER_BYTES + 4], "big")
    hello: list[Record] = []
    for record in itertools.takewhile(lambda one: one.kind == "handshake", records):
        if hello and sum(one.length for one in hello) >= message_bytes:
            break
        hello.append(record)
    return hello


def _first_flight(records: list[Record], answered_at: Iterable[int]) -> list[Record]:
    """Return what came before the client answered something encrypted: it answers a HelloRetryRequest too."""
    sealed = next((record.end for record in records if record.kind == "application_data"), None)
    end = next((end for end in answered_at if sealed is not None and end >= sealed), 0)
    return [record for record in records if record.end <= end]


def _second_hello(records: list[Record]) -> list[Record]:
    """Return the records behind the first hello up to the end of the second, a change of cipher included."""
    last = max((number for number, record in enumerate(records, 1) if record.kind == "handshake"), default=0)
    return records[:last]


def _find_response(records: list[Record], content_bytes: int) -> list[Record]:
    """Return the records in a row that carry `content_bytes`, without what comes before and behind, if any do."""
    for first in range(len(records)):
        carried = itertools.accumulate(record.content_bytes for record in records[first:])
        for number, content in enumerate(carried, 1):
            if content == content_bytes and records[first].kind == "application_data":
                return records[first : first + number]
            if content > content_bytes:
                break
    return []


def _size(record: Record) -> int:
    return record.end - record.start
