"""The key and the signature in a certificate (RFC 5280 4.1), from its DER (X.690)."""

from collections.abc import Iterator

SEQUENCE, BIT_STRING, VERSION = 0x30, 0x03, 0xA0
# serialNumber, signature, issuer, validity and subject come before the key.
BEFORE_KEY = 5


def read_certificate(der: bytes) -> tuple[bytes, bytes]:
    """Return the subject's public key and the signature, as they are in their BIT STRINGs."""
    ((tag, certificate),) = elements(der)
    assert tag == SEQUENCE
    (_, signed), _, (signature_tag, signature) = elements(certificate)
    fields = [content for tag, content in elements(signed) if tag != VERSION]
    _, (key_tag, key) = elements(fields[BEFORE_KEY])
    assert key_tag == signature_tag == BIT_STRING
    assert key[0] == signature[0] == 0, "unused bits"
    return key[1:], signature[1:]


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tag and content of each element in `data`."""
    while data:
        tag, length, start = data[0], data[1], 2
        if length >= 0x80:
            start += length - 0x80
            length = int.from_bytes(data[2:start], "big")
        assert len(data) >= start + length
        yield tag, data[start : start + length]
        data = data[start + length :]
