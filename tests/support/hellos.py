"""The key shares in a ClientHello or ServerHello (RFC 8446 4.1.2, 4.1.3, 4.2.8), from their record."""

from collections.abc import Iterator

from pqbed.tls.tls_records import HEADER_BYTES

CLIENT_HELLO, SERVER_HELLO, KEY_SHARE = 1, 2, 51
MESSAGE_HEADER_BYTES, VERSION_AND_RANDOM_BYTES = 4, 2 + 32


class Reader:
    """Reads a message from its start to its end."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, size: int) -> bytes:
        taken, self.rest = self.rest[:size], self.rest[size:]
        assert len(taken) == size, "the message ends too early"
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, length_bytes: int) -> bytes:
        return self.take(self.number(length_bytes))


def key_share_extension(record: bytes) -> bytes:
    """Return the contents of the one key_share extension, without its type and length."""
    message = Reader(record[HEADER_BYTES:])
    kind = message.number(1)
    assert message.number(3) == len(message.rest)
    message.take(VERSION_AND_RANDOM_BYTES)
    message.vector(1)
    if kind == CLIENT_HELLO:
        message.vector(2)
        message.vector(1)
    else:
        assert kind == SERVER_HELLO
        message.take(2 + 1)
    (found,) = (content for number, content in _entries(message.vector(2)) if number == KEY_SHARE)
    return found


def client_shares(extension: bytes) -> list[tuple[int, bytes]]:
    """Return the ClientHello's shares: codepoint and key."""
    return list(_entries(Reader(extension).vector(2)))


def server_share(extension: bytes) -> tuple[int, bytes]:
    """Return the ServerHello's share."""
    (share,) = _entries(extension)
    return share


def _entries(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Extensions and shares have one form: two bytes of number, two of length, the content."""
    reader = Reader(data)
    while reader.rest:
        yield reader.number(2), reader.vector(2)
