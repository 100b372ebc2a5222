"""Standard groups and signature algorithms: names, codepoints and sizes, each with its source.

Read from results/published/, the only place that holds them.
"""

import functools
from dataclasses import dataclass

from pqbed.spec.published_tables import read_published_rows

GROUPS_NAME, SIGNATURES_NAME = "tls-groups", "tls-signatures"

# An extension has 2 bytes of type and 2 of length; a KeyShareEntry 2 of group and 2 of length (RFC 8446 4.2.8).
_EXTENSION_BYTES = _SHARE_BYTES = 4
# The ClientHello holds a list of entries, the ServerHello one entry.
_SHARES_LENGTH_BYTES = 2
# The header of a handshake message; the scheme and the length of the signature (RFC 8446 4, 4.4.3).
_MESSAGE_BYTES, _VERIFY_BYTES = 4, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A key-exchange group. `public_key_bytes` is the client's share, `ciphertext_bytes` the server's.

    With Diffie-Hellman the latter is a public key too. `level` is the NIST category, None for a classical group.
    `liboqs` is its name there, "" if liboqs does not have it. `checked` names what the sizes were compared with.
    """

    name: str
    codepoint: int
    public_key_bytes: int
    ciphertext_bytes: int
    level: int | None
    liboqs: str
    standard: str
    checked: tuple[str, ...]
    source: str

    @property
    def wire_bytes(self) -> int:
        """Return the key_share extensions of both Hellos, with one share each."""
        return key_share_bytes(self.public_key_bytes, self.ciphertext_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureAlgorithm:
    """A signature algorithm with keys of one size. `key` is its name in profiles, "" if pqbed has no chains of it.

    `scheme` and `codepoint` are None if TLS has none. `varies`: a signature has `signature_bytes` at most.
    The other fields are those of groups.
    """

    name: str
    key: str
    scheme: str | None
    codepoint: int | None
    public_key_bytes: int
    signature_bytes: int
    varies: bool
    level: int | None
    liboqs: str
    standard: str
    checked: tuple[str, ...]
    source: str

    @property
    def verify_wire_bytes(self) -> int | None:
        """Return the size of the CertificateVerify message; None if TLS has no scheme."""
        return None if self.scheme is None else verify_bytes(self.signature_bytes)

    @property
    def certificate_bytes(self) -> int:
        """Return the size of the key and the signature in each certificate of a chain of only this algorithm."""
        return self.public_key_bytes + self.signature_bytes


def key_share_bytes(client_bytes: int, server_bytes: int) -> int:
    """Return the size of the key_share extensions of both Hellos, with one share of these lengths in each."""
    client = _EXTENSION_BYTES + _SHARES_LENGTH_BYTES + _SHARE_BYTES + client_bytes
    return client + _EXTENSION_BYTES + _SHARE_BYTES + server_bytes


def verify_bytes(signature_bytes: int) -> int:
    """Return the size of the CertificateVerify message that carries a signature."""
    return _MESSAGE_BYTES + _VERIFY_BYTES + signature_bytes


@functools.cache
def certificate_only_algorithms() -> frozenset[str]:
    """Return the names of signature algorithms for which TLS has no scheme: they can sign certificates only."""
    return frozenset(one.name for one in published_signatures().values() if one.scheme is None)


@functools.cache
def published_groups() -> dict[str, Group]:
    """Return all groups by name."""
    return {row["name"]: _group(row) for row in read_published_rows(GROUPS_NAME)}


@functools.cache
def published_signatures() -> dict[str, SignatureAlgorithm]:
    """Return all signature algorithms by name."""
    return {row["name"]: _signature(row) for row in read_published_rows(SIGNATURES_NAME)}


@functools.cache
def signatures_by_key() -> dict[str, SignatureAlgorithm]:
    """Return the signature algorithms that profiles can name, by that name."""
    return {algorithm.key: algorithm for algorithm in published_signatures().values() if algorithm.key}


def _group(row: dict[str, str]) -> Group:
    return Group(
        name=row["name"],
        codepoint=int(row["codepoint"], 16),
        public_key_bytes=int(row["public_key_bytes"]),
        ciphertext_bytes=int(row["ciphertext_bytes"]),
        level=_maybe(row["level"]),
        liboqs=row["liboqs"],
        standard=row["standard"],
        checked=tuple(row["checked"].split("; ")),
        source=row["source"],
    )


def _signature(row: dict[str, str]) -> SignatureAlgorithm:
    return SignatureAlgorithm(
        name=row["name"],
        key=row["key"],
        scheme=row["scheme"] or None,
        codepoint=int(row["codepoint"], 16) if row["codepoint"] else None,
        public_key_bytes=int(row["public_key_bytes"]),
        signature_bytes=int(row["signature_bytes"]),
        varies=row["varies"] == "yes",
        level=_maybe(row["level"]),
        liboqs=row["liboqs"],
        standard=row["standard"],
        checked=tuple(row["checked"].split("; ")),
        source=row["source"],
    )


def _maybe(text: str) -> int | None:
    return int(text) if text else None
