import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqbed.tls.tls_records import LARGEST_RECORD_BYTES, Record, walk_records

HELLO = bytes.fromhex("1603010004") + b"\x01\0\0\0"
SEALED = bytes.fromhex("1703030019") + bytes(25)


def test_records_of_a_stream() -> None:
    assert list(walk_records(HELLO + bytes.fromhex("140303000101") + SEALED)) == [
        Record(kind="handshake", start=0, length=4),
        Record(kind="change_cipher_spec", start=9, length=1),
        Record(kind="application_data", start=15, length=25),
    ]


def test_an_encrypted_record_is_more_than_its_content() -> None:
    hello, sealed = walk_records(HELLO + SEALED)
    assert hello.content_bytes == 4
    assert sealed.content_bytes == 25 - 17
    assert sealed.end == len(HELLO + SEALED)


def test_an_empty_stream_has_none() -> None:
    assert list(walk_records(b"")) == []


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (HELLO[:3], "within the header of the record at 0"),
        (HELLO[:-1], "the record at 0 ends at 9, the stream at 8"),
        (HELLO + b"HTTP/1.1 ", "no TLS record at 9: 485454502f"),
        (b"\x16\x02\x00\x00\x00", "no TLS record at 0"),
        (b"\x16\x03\x03\xff\xff", "no TLS record at 0"),
    ],
)
def test_what_is_no_record_is_refused(stream: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(walk_records(stream))


@given(st.lists(st.tuples(st.sampled_from([20, 21, 22, 23]), st.integers(0, LARGEST_RECORD_BYTES)), max_size=5))
def test_records_lie_end_to_end(parts: list[tuple[int, int]]) -> None:
    stream = b"".join(bytes([kind, 3, 3]) + length.to_bytes(2, "big") + bytes(length) for kind, length in parts)
    found = list(walk_records(stream))
    assert [record.length for record in found] == [length for _, length in parts]
    assert [record.start for record in found[1:]] == [record.end for record in found[:-1]]
    assert sum(5 + record.length for record in found) == len(stream)
