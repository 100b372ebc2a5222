"""TLS records in a stream of bytes, as an observer on the path sees them (RFC 8446 section 5).

After the ServerHello the contents are encrypted, and their sizes are not: an encrypted record is its content, one byte
of content type, padding (OpenSSL and libcurl send none by default), and the tag of the AEAD.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

RecordKind = Literal["change_cipher_spec", "alert", "handshake", "application_data"]

HEADER_BYTES = 5
LARGEST_RECORD_BYTES = 16384 + 256
# One byte of content type, and the tag: 16 bytes for every cipher suite of TLS 1.3 but the one for tiny devices.
SEALING_BYTES = 1 + 16

# A ServerHello with this random, behind its type, length and version, is a HelloRetryRequest (RFC 8446, 4.1.3).
_SERVER_HELLO = 2
_RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_RANDOM = slice(6, 38)

_KINDS = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record. `start` is where its header begins in the stream, `length` what follows the header."""

    kind: RecordKind
    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + HEADER_BYTES + self.length

    @property
    def content_bytes(self) -> int:
        """Return the size of its content, without the sealing of an encrypted record."""
        return self.length - SEALING_BYTES if self.kind == "application_data" else self.length


def is_retry_message(message: bytes) -> bool:
    """Return whether a handshake message is a HelloRetryRequest."""
    return message[:1] == bytes((_SERVER_HELLO,)) and message[_RANDOM] == _RETRY_RANDOM


def begins_with_retry(stream: bytes) -> bool:
    """Return whether the first record of what a server sent is a HelloRetryRequest."""
    return _KINDS.get(stream[0] if stream else 0) == "handshake" and is_retry_message(stream[HEADER_BYTES:])


def retry_records(records: Sequence[Record]) -> list[Record]:
    """Return the HelloRetryRequest that a server's records begin with, and the change of cipher behind it."""
    changes = itertools.takewhile(lambda record: record.kind == "change_cipher_spec", records[1:])
    return [records[0], *changes]


def walk_records(stream: bytes) -> Iterator[Record]:
    """Yield the records of one direction of a connection, from its first byte on.

    Raises ValueError where there is no record, or a part of one at the end.
    """
    start = 0
    while start < len(stream):
        header = stream[start : start + HEADER_BYTES]
        record = _read_header(header, start)
        if record.end > len(stream):
            raise ValueError(f"the record at {start} ends at {record.end}, the stream at {len(stream)}")
        yield record
        start = record.end


def _read_header(header: bytes, start: int) -> Record:
    if len(header) < HEADER_BYTES:
        raise ValueError(f"the stream ends within the header of the record at {start}")
    length = int.from_bytes(header[3:5], "big")
    if header[0] not in _KINDS or header[1] != 3 or length > LARGEST_RECORD_BYTES:
        raise ValueError(f"there is no TLS record at {start}: {header.hex()}")
    return Record(kind=cast("RecordKind", _KINDS[header[0]]), start=start, length=length)
