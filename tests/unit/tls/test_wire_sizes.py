"""Sizes learned from one fetch: read from records, used for other bodies, kept in the cells table."""

import socket
import threading
from dataclasses import replace

import pytest

from pqbed.errors import SpecError
from pqbed.fetch.counting_relay import LOOPBACK, Relay
from pqbed.model.floor_and_expectation import bounds_of
from pqbed.model.tls_exchange import exchange_of, known_exchange
from pqbed.store.table_schemas import CELLS, LEARNED
from pqbed.store.wire_size_columns import size_columns, sizes_from_row
from pqbed.tls.wire_sizes import PROBE_BYTES, SEAL_BYTES, WireSizes, read_wire_sizes
from support.exchanges import cell_of
from support.profiles import CLASSICAL

HANDSHAKE, CHANGE, DATA = 22, 20, 23


def record(kind: int, length: int) -> bytes:
    return bytes((kind, 3, 3)) + length.to_bytes(2, "big") + bytes(length)


HELLO, FLIGHT = (
    record(HANDSHAKE, 240),
    record(HANDSHAKE, 122) + record(CHANGE, 1) + record(DATA, 27) + record(DATA, 900),
)
# A ServerHello with the random of RFC 8446, 4.1.3.
RETRY_RANDOM = "CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C"
RETRY = bytes((HANDSHAKE, 3, 3, 0, 88, 2, 0, 0, 84, 3, 3)) + bytes.fromhex(RETRY_RANDOM) + bytes(50)
ANSWER, REQUEST = record(CHANGE, 1) + record(DATA, 69), record(DATA, 117)
HEADER_BYTES = 255
RESPONSE = record(DATA, HEADER_BYTES + 17) + 4 * record(DATA, 16_384 + 17)
SIZES = WireSizes(
    client_hello_bytes=245,
    server_flight=(127, 6, 32, 905),
    client_flight=(6, 74),
    request_bytes=122,
    response_header_bytes=HEADER_BYTES,
    response=((HEADER_BYTES + SEAL_BYTES, 1), (16_384 + SEAL_BYTES, 4)),
)


def test_a_connection_is_read_record_by_record() -> None:
    assert read_wire_sizes(HELLO + ANSWER + REQUEST, FLIGHT + RESPONSE, [len(FLIGHT)], PROBE_BYTES) == SIZES


def test_a_hello_retry_request_and_its_answer_are_flights_of_their_own() -> None:
    """Also where a client answers before the change of cipher behind the request is there, as Go's does."""
    retry = RETRY + record(CHANGE, 1)
    flight = FLIGHT.replace(record(CHANGE, 1), b"")
    sent = HELLO + record(CHANGE, 1) + record(HANDSHAKE, 277) + record(DATA, 69) + REQUEST
    whole = len(retry + flight)
    sizes = replace(SIZES, server_flight=(127, 32, 905), client_flight=(74,), retry=(93, 6), second_hello=(6, 282))
    for answered_at in ([len(retry), whole], [len(RETRY), len(retry), whole]):
        assert read_wire_sizes(sent, retry + flight + RESPONSE, answered_at, PROBE_BYTES) == sizes
    at_once = sent.replace(record(CHANGE, 1), b"")
    answered = read_wire_sizes(at_once, retry + flight + RESPONSE, [len(retry), whole], PROBE_BYTES)
    assert answered == replace(sizes, second_hello=(282,))
    columns = size_columns(sizes)
    assert (columns["hello_retry_bytes"], columns["second_hello_bytes"]) == (99, 288)
    assert sizes_from_row(columns) == sizes


@pytest.mark.parametrize(
    ("sent", "received", "flight_bytes"),
    [
        (b"", b"", 0),
        (HELLO, FLIGHT, len(FLIGHT)),
        (HELLO + ANSWER + REQUEST, FLIGHT, len(FLIGHT)),
        (HELLO + ANSWER + REQUEST, FLIGHT + RESPONSE[:-9], len(FLIGHT)),
        (b"GET / HTTP/1.1", b"no", 0),
    ],
)
def test_what_is_no_whole_fetch_has_no_sizes(sent: bytes, received: bytes, flight_bytes: int) -> None:
    assert read_wire_sizes(sent, received, [flight_bytes], PROBE_BYTES) is None


def test_another_body_is_cut_into_records_alike() -> None:
    assert SIZES.response_of(PROBE_BYTES) == tuple(size for size, number in SIZES.response for _ in range(number))
    assert SIZES.response_of(0) == (HEADER_BYTES - 4 + SEAL_BYTES,)
    assert SIZES.request_of(0) == 122 - 4
    longer = SIZES.response_of(1_000_000)
    assert sum(size - SEAL_BYTES for size in longer) == 1_000_000 + HEADER_BYTES + 2
    assert set(longer[1:-1]) == {16_384 + SEAL_BYTES}


def test_they_survive_the_cells_table() -> None:
    columns = size_columns(SIZES)
    assert columns.keys() == LEARNED.keys()
    assert columns["server_flight_records"] == "127 6 32 905"
    assert columns["response_records"] == "277 16406x4"
    hello = replace(SIZES, client_hello_bytes=1449)
    assert [size_columns(hello, mss)["client_hello_segments"] for mss in (1448, 1228, 1449)] == [2, 2, 1]
    assert sizes_from_row(columns) == SIZES
    assert sizes_from_row({}) is None
    assert list(CELLS)[-len(LEARNED) :] == list(LEARNED)


def test_what_no_table_knows_is_unknown_until_it_is_learned() -> None:
    cell = cell_of(10, 1_000_000, profile=replace(CLASSICAL, group="of tomorrow"))
    assert bounds_of(cell, 1_715, None) is None
    with pytest.raises(SpecError, match="the sizes of profile classical on the wire are not known"):
        known_exchange(cell, 1_715, None, None)
    bounds = bounds_of(cell, 1_715, None, SIZES)
    assert bounds.holds
    longer = bounds_of(cell, 1_715, None, replace(SIZES, client_hello_bytes=10_245))
    # 10,000 bytes and the headers of seven more segments, at 8 us a byte.
    assert longer.lossless.last_byte_ns - bounds.lossless.last_byte_ns == pytest.approx(8_000 * 10_462, rel=0.02)


def test_another_stack_is_known_once_its_sizes_are() -> None:
    cell = cell_of(10, 1_000_000, profile=replace(CLASSICAL, stack="other"))
    assert not bounds_of(cell, 1_715, None).holds
    assert bounds_of(cell, 1_715, None, SIZES).holds


def test_what_openssl_was_seen_to_send_is_what_the_tables_give() -> None:
    cell = cell_of(10, 1_000_000)
    computed = exchange_of(cell, 1_715)
    assert abs(sum(computed.client_hello) - 245) < 64


def test_a_relay_counts_both_directions_and_the_first_flight() -> None:
    server = socket.create_server((LOOPBACK, 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            assert connection.recv(100) == b"hello"
            connection.sendall(b"flight" * 1000)
            assert connection.recv(100) == b"request"
            connection.sendall(b"response")
            connection.recv(100)

    thread = threading.Thread(target=serve)
    thread.start()
    with Relay(LOOPBACK, server.getsockname()[1]) as relay, socket.create_connection((LOOPBACK, relay.port)) as client:
        assert 1000 <= relay.port <= 9999
        client.sendall(b"hello")
        got = b""
        while len(got) < 6000:
            got += client.recv(10_000)
        client.sendall(b"request")
        assert client.recv(100) == b"response"
    thread.join()
    server.close()
    assert (bytes(relay.sent), bytes(relay.received)) == (b"hellorequest", b"flight" * 1000 + b"response")
    assert relay.answered_at == [6000]


def test_a_relay_that_nobody_uses_ends() -> None:
    with Relay(LOOPBACK, 1) as relay:
        pass
    assert not relay.sent


def test_a_flight_that_was_not_sent_is_no_write_of_any_stack() -> None:
    """A write of nothing would be taken for a HelloRetryRequest."""
    for stack in ("openssl", "go", "botan"):
        cell = cell_of(10, 1_000_000, profile=replace(CLASSICAL, stack=stack))
        exchange = known_exchange(cell, None, None, SIZES)
        assert (exchange.retry, exchange.second_hello) == ((), ())
        assert sum(exchange.server_flight) == sum(SIZES.server_flight)
        assert bounds_of(cell, 1_715, None, SIZES) is not None
