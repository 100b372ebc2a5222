"""Sizes of a connection's TLS records, learned from one fetch: hello, flights, request and response.

Exact for any stack and algorithm, since nothing has to be known of either (RFC 8446 5: the length of an encrypted
record is not hidden). ECDSA signatures vary by some bytes from one handshake to the next.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from pqbed.tls.tls_records import HEADER_BYTES, SEALING_BYTES, Record, walk_records

# The body of the fetch that is learned from: long enough to show how a server cuts a response into records.
PROBE_BYTES = 65_536
SEAL_BYTES = HEADER_BYTES + SEALING_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class WireSizes:
    """Bytes on the wire, headers and tags of records included.

    `server_flight` and `client_flight` are the records from ServerHello to Finished and from there to the request, in
    order. `response` are (bytes, number) of equal records in a row; `response_header_bytes` is the content that is not
    body. `request_bytes` and they are those of a body of `body_bytes`.
    """

    client_hello_bytes: int
    server_flight: tuple[int, ...]
    client_flight: tuple[int, ...]
    request_bytes: int
    response_header_bytes: int
    response: tuple[tuple[int, ...], ...]
    body_bytes: int = PROBE_BYTES

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


def read_wire_sizes(sent: bytes, received: bytes, flight_bytes: int, body_bytes: int) -> WireSizes | None:
    """Return the sizes of a connection over which one body of `body_bytes` was fetched; None if it was no such fetch.

    `sent` is what the client wrote, `received` what the server did, of which `flight_bytes` before the client answered.
    """
    try:
        ours, theirs = list(walk_records(sent)), list(walk_records(received))
    except ValueError:
        return None
    hello = list(itertools.takewhile(lambda record: record.kind == "handshake", ours))
    flight = [record for record in theirs if record.end <= flight_bytes]
    response = [record for record in theirs[len(flight) :] if record.kind == "application_data"]
    *rest, request = ours[len(hello) :] or (None,)
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
        body_bytes=body_bytes,
    )


def _size(record: Record) -> int:
    return record.end - record.start
