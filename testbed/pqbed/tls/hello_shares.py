"""What a ClientHello and a ServerHello say, which are not encrypted: key shares, and what is offered (RFC 8446 4.2)."""

import itertools
from dataclasses import dataclass

from pqbed.errors import HostError
from pqbed.tls.certificate_keys import canonical_scheme
from pqbed.tls.group_names import canonical_group
from pqbed.tls.tls_records import HEADER_BYTES, walk_records

_GROUPS, _SIGNATURES, _KEY_SHARE = 10, 13, 51
# Codepoints that stand for nothing (RFC 8701): 0x0a0a, 0x1a1a, ...
_RESERVED = 0x0A0A
_MESSAGE_HEADER, _VERSION_AND_RANDOM = 4, 2 + 32


def read_key_shares(sent: bytes, received: bytes) -> tuple[int, int] | None:
    """Return the bytes of the client's share of the group that the server took, and of the server's; None without.

    Of two streams that begin with the Hellos, record headers and all.
    """
    try:
        client = _extensions(_first_message(sent), ciphers=True).get(_KEY_SHARE, b"")
        server = _extensions(_first_message(received), ciphers=False).get(_KEY_SHARE, b"")
    except (ValueError, IndexError):
        return None
    group, own = server[:2], server[4:]
    shares = dict(_entries(client[2:]))
    return (len(shares[group]), len(own)) if own and group in shares else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloOffer:
    """What a ClientHello offers, by names where there are, else by codepoints; without the values of RFC 8701."""

    groups: tuple[str, ...]
    signatures: tuple[str, ...]


def whole_hello(stream: bytes | bytearray) -> bool:
    """Return whether a stream holds all of the record that it begins with."""
    return len(stream) >= HEADER_BYTES and len(stream) >= HEADER_BYTES + int.from_bytes(stream[3:5], "big")


def read_offer(stream: bytes) -> HelloOffer:
    """Return what the ClientHello at the beginning of a stream offers. Raises HostError if there is none."""
    try:
        extensions = _extensions(_first_message(stream), ciphers=True)
        groups, schemes = (_codepoints(extensions[kind]) for kind in (_GROUPS, _SIGNATURES))
    except (ValueError, IndexError, KeyError) as error:
        raise HostError("the client sent no ClientHello that can be read") from error
    return HelloOffer(
        groups=tuple(canonical_group(f"{group:#06x}") for group in groups),
        signatures=tuple(canonical_scheme(f"{scheme:#06x}") for scheme in schemes),
    )


def _codepoints(content: bytes) -> list[int]:
    numbers = [int.from_bytes(content[at : at + 2], "big") for at in range(2, len(content), 2)]
    return [number for number in numbers if number & 0x0F0F != _RESERVED]


def _first_message(stream: bytes) -> bytes:
    """Return the body of the handshake message that a stream begins with, which may take several records."""
    records = itertools.takewhile(lambda record: record.kind == "handshake", walk_records(stream))
    content = b"".join(stream[record.start + HEADER_BYTES : record.end] for record in records)
    return content[_MESSAGE_HEADER : _MESSAGE_HEADER + int.from_bytes(content[1:4], "big")]


def _extensions(hello: bytes, *, ciphers: bool) -> dict[int, bytes]:
    """Return the extensions of a Hello. A client's has lists of ciphers and compressions, a server's one of each."""
    at = _VERSION_AND_RANDOM
    at += 1 + hello[at]  # the session
    if ciphers:
        at += 2 + int.from_bytes(hello[at : at + 2], "big")
        at += 1 + hello[at]
    else:
        at += 3
    end = at + 2 + int.from_bytes(hello[at : at + 2], "big")
    return {int.from_bytes(kind, "big"): content for kind, content in _entries(hello[at + 2 : end])}


def _entries(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return what follows one another as two bytes of kind, two of length, and a content."""
    entries, at = [], 0
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at + 2 : at + 4], "big")
        entries.append((data[at : at + 2], data[at + 4 : end]))
        at = end
    return entries
