"""What a profile puts on the wire, roughly, before any server has been asked. For estimates and the fake bed only.

With HTTP/1.1 in TLS records over TCP; for other versions and QUIC it is a guess of the same order.

Sizes of keys, shares and signatures are those of the standards (tls/algorithms.py).
"""

import functools
from dataclasses import dataclass

from pqbed.spec.profile import Chain, Profile
from pqbed.tls.algorithms import SignatureAlgorithm, published_groups, published_signatures
from pqbed.tls.groups import canonical_group

RESPONSE_HEADER_BYTES = 250
REQUEST_BYTES = 150

# ClientHello and ServerHello without key shares; EncryptedExtensions, both Finished, record framing.
_CLIENT_HELLO_BYTES = 220
_SERVER_HELLO_BYTES = 90
_SERVER_REST_BYTES = 120
_CLIENT_FINISHED_BYTES = 80
# A certificate without its key and signature; CertificateVerify without its signature.
_CERTIFICATE_BYTES = 350
_VERIFY_BYTES = 8

# What is not in the tables of the standards is taken for the commonest.
_DEFAULT_GROUP, _DEFAULT_KEY = "x25519", "p256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flights:
    """Payload bytes of one fetch without its response. `certificate_bytes`: the server's Certificate message."""

    server_bytes: int
    client_bytes: int
    certificate_bytes: int


def typical_flights(profile: Profile) -> Flights:
    """Return about what `profile` puts on the wire."""
    client_share, server_share = key_shares(profile.group)
    proof = _proof_bytes(profile.chain)
    return Flights(
        server_bytes=_SERVER_HELLO_BYTES + server_share + _SERVER_REST_BYTES + proof,
        client_bytes=_CLIENT_HELLO_BYTES
        + client_share
        + _CLIENT_FINISHED_BYTES
        + REQUEST_BYTES
        + (0 if profile.clients_chain is None else _proof_bytes(profile.clients_chain)),
        certificate_bytes=typical_certificate_bytes(profile.chain),
    )


def key_shares(group: str) -> tuple[int, int]:
    """Return the sizes of the client's and the server's share."""
    known = published_groups()
    one = known.get(canonical_group(group), known[_DEFAULT_GROUP])
    return one.public_key_bytes, one.ciphertext_bytes


def has_known_sizes(profile: Profile) -> bool:
    """Tell whether the tables of the standards have the shares and the signatures of `profile`."""
    proofs = {_plain(chain.algorithm) for chain in (profile.chain, profile.clients_chain) if chain is not None}
    return canonical_group(profile.group) in published_groups() and proofs <= _signatures().keys()


def typical_certificate_bytes(chain: Chain) -> int:
    """Return about the size of the Certificate message that carries `chain`."""
    if chain.wire_bytes is not None:
        return chain.wire_bytes
    keys = _key_bytes(chain.algorithm) + (chain.depth - 1) * _key_bytes(chain.authority)
    return keys + chain.depth * (_CERTIFICATE_BYTES + signature_bytes(chain.authority))


def _proof_bytes(chain: Chain) -> int:
    """Certificate and CertificateVerify."""
    return typical_certificate_bytes(chain) + _VERIFY_BYTES + signature_bytes(chain.algorithm)


def _key_bytes(algorithm: str) -> int:
    return _signature(algorithm).public_key_bytes


def signature_bytes(algorithm: str) -> int:
    """Return about the size of a signature by `algorithm`: ECDSA's varies by some bytes."""
    return _signature(algorithm).signature_bytes


def _signature(algorithm: str) -> SignatureAlgorithm:
    known = _signatures()
    return known.get(_plain(algorithm), known[_DEFAULT_KEY])


@functools.cache
def _signatures() -> dict[str, SignatureAlgorithm]:
    return {_plain(name): one for one in published_signatures().values() for name in (one.name, one.key)}


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
