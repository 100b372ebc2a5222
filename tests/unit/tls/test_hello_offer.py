"""What a ClientHello offers, read from its bytes."""

import pytest

from pqbed.errors import HostError
from pqbed.tls.hello_shares import read_offer, whole_hello


def number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")


def extension(kind: int, *codepoints: int) -> bytes:
    content = b"".join(number(one, 2) for one in codepoints)
    content = number(len(content), 2) + content
    return number(kind, 2) + number(len(content), 2) + content


def hello(*extensions: bytes) -> bytes:
    """A ClientHello without a session, with one cipher suite and no compression, in its record."""
    listed = b"".join(extensions)
    body = (
        b"\x03\x03" + bytes(32) + b"\x00" + number(2, 2) + b"\x13\x01" + b"\x01\x00" + number(len(listed), 2) + listed
    )
    message = b"\x01" + number(len(body), 3) + body
    return b"\x16\x03\x01" + number(len(message), 2) + message


GROUPS, SIGNATURES = extension(10, 0x4A4A, 0x11EC, 0x001D, 0x1234), extension(13, 0x0403, 0x0905, 0xDADA)


def test_groups_and_signatures_have_names_and_reserved_values_are_left_out() -> None:
    offer = read_offer(hello(GROUPS, extension(43, 0x0304), SIGNATURES))
    assert offer.groups == ("X25519MLKEM768", "x25519", "0x1234")
    assert offer.signatures == ("ecdsa_secp256r1_sha256", "mldsa65")


@pytest.mark.parametrize("stream", [b"", b"GET / HTTP/1.1", hello(GROUPS), hello(GROUPS, SIGNATURES)[:-1]])
def test_what_is_no_hello_is_an_error(stream: bytes) -> None:
    with pytest.raises(HostError, match="no ClientHello"):
        read_offer(stream)


def test_a_hello_is_whole_with_its_record() -> None:
    whole = hello(GROUPS)
    assert whole_hello(whole)
    assert not any(whole_hello(whole[:size]) for size in range(len(whole)))
