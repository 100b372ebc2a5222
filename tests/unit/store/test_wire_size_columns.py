"""Sizes on the wire as columns of the cells table: what is written reads back, runs of equal records included."""

from hypothesis import given
from hypothesis import strategies as st

from pqbed.store.wire_size_columns import size_columns, sizes_from_row
from pqbed.tls.wire_sizes import SEAL_BYTES, WireSizes

RECORD = st.integers(SEAL_BYTES + 1, 16_406)
RECORDS = st.lists(RECORD, max_size=6).map(tuple)


@st.composite
def wire_sizes(draw: st.DrawFn) -> WireSizes:
    runs = draw(st.lists(st.tuples(RECORD, st.integers(1, 40)), min_size=1, max_size=4).map(tuple))
    content = sum((size - SEAL_BYTES) * number for size, number in runs)
    header = draw(st.integers(0, content))
    return WireSizes(
        client_hello_bytes=draw(st.integers(1, 2000)),
        server_flight=draw(RECORDS),
        client_flight=draw(RECORDS),
        request_bytes=draw(st.integers(1, 400)),
        response_header_bytes=header,
        response=runs,
        tickets=draw(RECORDS),
        retry=draw(RECORDS),
        second_hello=draw(RECORDS),
        body_bytes=content - header,
    )


@given(wire_sizes())
def test_what_is_written_reads_back(sizes: WireSizes) -> None:
    assert sizes_from_row(size_columns(sizes)) == sizes


def test_columns_are_sums_and_runs() -> None:
    sizes = WireSizes(
        client_hello_bytes=300,
        server_flight=(127, 50, 50, 50),
        client_flight=(80,),
        request_bytes=120,
        response_header_bytes=200,
        response=((16_406, 12), (9_000, 1)),
    )
    row = size_columns(sizes)
    assert (row["server_flight_bytes"], row["server_flight_records"]) == (277, "127 50x3")
    assert (row["client_flight_bytes"], row["client_flight_records"]) == (80, "80")
    assert (row["response_records"], row["ticket_records"]) == ("16406x12 9000", "")


def test_nothing_learned_is_nothing() -> None:
    row = size_columns(None)
    assert row == {}
    assert sizes_from_row(row) is None
    assert sizes_from_row({}) is None
