"""Sizes of algorithms that no table has: learned from one fetch with each, over a lane whose link is not shaped.

A group's shares stand in both Hellos. A signature is in the server's encrypted flight, beside a Certificate whose size
is known: two connections that differ by the signature alone differ by its bytes. The key is that of a certificate of
the algorithm. One handshake is one size: signatures that vary are shown as they came.
"""

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from pqbed.algorithm_table.algorithm_rows import AlgorithmRow
from pqbed.beds.bed_interface import Lane
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.stacks import Stack
from pqbed.tls.der import BIT_STRING, SEQUENCE, walk
from pqbed.tls.published_algorithms import key_share_bytes, signatures_by_key, verify_bytes
from pqbed.tls.served_profile import ServedProfile
from pqbed.tls.tls_records import HEADER_BYTES, SEALING_BYTES
from pqbed.tls.wire_sizes import WireSizes

# Starts a lane with these profiles.
OpenLane = Callable[[Sequence[Profile]], Lane]

REFERENCE = Profile(name="reference", group="x25519", chain=Chain(algorithm="rsa2048", depth=1))
# A change_cipher_spec record, which separates ServerHello from what is encrypted (RFC 8446 D.4).
_CHANGE_CIPHER_SPEC_BYTES = HEADER_BYTES + 1
# An algorithm and a key.
_KEY_PARTS = 2


def lacks_sizes(row: AlgorithmRow) -> bool:
    """Return whether the stack has an algorithm whose sizes are unknown."""
    return row.provider is not None and row.source is None and row.public_key_bytes is None


def measure_sizes(rows: Sequence[AlgorithmRow], stack: Stack, open_lane: OpenLane) -> tuple[AlgorithmRow, ...]:
    """Return `rows` with the sizes that they lacked and that one fetch with each showed.

    What does not complete a fetch keeps its unknown sizes. Raises as `open_lane` does.
    """
    profiles = {f"{row.kind}-{number}": _profile(row, stack) for number, row in enumerate(rows) if lacks_sizes(row)}
    named = [replace(profile, name=name) for name, profile in profiles.items()]
    with closing(open_lane((replace(REFERENCE, stack=stack.name), *named))) as lane:
        sizes = {name: kinds["full"] for name, kinds in lane.learn_sizes(("full",)).items()}
        served = {one.profile.name: one for one in lane.facts.served}
    if REFERENCE.name not in sizes:
        return tuple(rows)
    measured = {name: _Measured(sizes[name], served[name]) for name in sizes}
    return tuple(_with_sizes(row, f"{row.kind}-{number}", measured) for number, row in enumerate(rows))


def _profile(row: AlgorithmRow, stack: Stack) -> Profile:
    if row.kind == "group":
        return replace(REFERENCE, group=row.name, stack=stack.name)
    return replace(REFERENCE, chain=replace(REFERENCE.chain, algorithm=row.name), stack=stack.name)


@dataclass(frozen=True, slots=True)
class _Measured:
    sizes: WireSizes
    served: ServedProfile

    @property
    def proof(self) -> int:
        """Return the content of the server's encrypted flight besides the Certificate message."""
        records = self.sizes.server_flight
        first = records.index(_CHANGE_CIPHER_SPEC_BYTES) + 1 if _CHANGE_CIPHER_SPEC_BYTES in records else 1
        sealed = sum(record - HEADER_BYTES - SEALING_BYTES for record in records[first:])
        return sealed - self.served.certificate_wire_bytes


def _with_sizes(row: AlgorithmRow, name: str, measured: Mapping[str, _Measured]) -> AlgorithmRow:
    one = measured.get(name)
    if one is None:
        return row
    if row.kind == "group":
        return _with_shares(row, one.sizes.key_shares, one.served.group_id)
    known = signatures_by_key()[REFERENCE.chain.algorithm].signature_bytes
    signature, key = known + one.proof - measured[REFERENCE.name].proof, _key_bytes(one.served.root_pem)
    return replace(
        row,
        public_key_bytes=key,
        signature_bytes=signature,
        wire_bytes=verify_bytes(signature),
        certificate_bytes=key + signature,
        measured=True,
    )


def _with_shares(row: AlgorithmRow, shares: tuple[int, int] | None, codepoint: int | None) -> AlgorithmRow:
    if shares is None:
        return row
    public, ciphertext = shares
    return replace(
        row,
        codepoint=codepoint,
        public_key_bytes=public,
        ciphertext_bytes=ciphertext,
        wire_bytes=key_share_bytes(public, ciphertext),
        measured=True,
    )


def _key_bytes(pem: str) -> int:
    """Return the size of the public key in a certificate (SubjectPublicKeyInfo, RFC 5280 4.1)."""
    (certificate,) = walk(ssl.PEM_cert_to_DER_cert(pem))
    signed = next(walk(certificate.content))
    infos = (_bit_string(value.content) for value in walk(signed.content) if value.tag == SEQUENCE)
    return next(size for size in infos if size)


def _bit_string(content: bytes) -> int:
    """Return the bytes of the bit string that ends a sequence of two; 0 if it is no such sequence."""
    values = list(walk(content))
    # The first byte of a bit string counts the bits that are not used.
    return len(values[1].content) - 1 if len(values) == _KEY_PARTS and values[1].tag == BIT_STRING else 0
