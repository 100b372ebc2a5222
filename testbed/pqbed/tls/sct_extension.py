"""Signed certificate timestamps (SCTs) embedded in a leaf (RFC 6962 3.3): an extension that no verifier here acts on.

They have the form and the size of those of real logs, and signatures that are random bytes.
"""

import hashlib

from pqbed.spec.profile import SCT_FRAME_BYTES, Chain

SCT_LIST_OID = "1.3.6.1.4.1.11129.2.4.2"
# Its OID in DER, with tag and length.
_OID_BYTES = 12
# version 1: sct_version v1(0); an empty `extensions`; ecdsa and sha256 as RFC 5246 7.4.1.4.1 numbers them.
_VERSION, _NO_EXTENSIONS, _HASH_AND_SIGNATURE = b"\x00", b"\x00\x00", b"\x04\x03"
_LOG_ID_BYTES, _TIMESTAMP_BYTES = 32, 8
_OCTET_STRING, _SEQUENCE = 0x04, 0x30


def sct_extension(chain: Chain) -> dict[str, str]:
    """Return the extension with the SCTs of `chain`, in the syntax of openssl; none without SCTs."""
    return {SCT_LIST_OID: f"DER:{_octets(_sct_list(chain)).hex()}"} if chain.scts else {}


def sct_extension_bytes(chain: Chain) -> int:
    """Return what the SCTs of `chain` add to the leaf, but for the lengths above them, which may grow."""
    if not chain.scts:
        return 0
    content = _octets(_octets(_sct_list(chain)))
    return len(_with_length(_SEQUENCE, bytes(_OID_BYTES) + content))


def _sct_list(chain: Chain) -> bytes:
    scts = [_sct(number, chain.sct_bytes) for number in range(chain.scts)]
    entries = b"".join(len(sct).to_bytes(2) + sct for sct in scts)
    return len(entries).to_bytes(2) + entries


def _sct(number: int, size: int) -> bytes:
    noise = hashlib.shake_256(f"pqbed sct {number}".encode()).digest(_LOG_ID_BYTES + _TIMESTAMP_BYTES + size)
    log, timestamp = noise[:_LOG_ID_BYTES], bytes(2) + noise[_LOG_ID_BYTES : _LOG_ID_BYTES + _TIMESTAMP_BYTES - 2]
    signature = noise[-(size - SCT_FRAME_BYTES) :]
    head = _VERSION + log + timestamp + _NO_EXTENSIONS + _HASH_AND_SIGNATURE
    return head + len(signature).to_bytes(2) + signature


def _octets(content: bytes) -> bytes:
    return _with_length(_OCTET_STRING, content)


def _with_length(tag: int, content: bytes) -> bytes:
    """Return `content` as DER (X.690 8.1.3: a length below 128 is one byte)."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content
