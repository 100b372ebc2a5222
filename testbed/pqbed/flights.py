"""What a profile puts on the wire, roughly, before any server has been asked. For estimates and the fake bed only.

Sizes are those of the standards: FIPS 203 (ML-KEM), FIPS 204 (ML-DSA), FIPS 205 (SLH-DSA), RFC 8446 (ECDHE shares).
"""

from dataclasses import dataclass

from pqbed.spec.profile import Chain, Profile

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

# Name in lower case without separators: (client's share, server's share).
_SHARES = {
    "x25519": (32, 32),
    "secp256r1": (65, 65),
    "secp384r1": (97, 97),
    "mlkem512": (800, 768),
    "mlkem768": (1184, 1088),
    "mlkem1024": (1568, 1568),
    "x25519mlkem768": (1216, 1120),
    "secp256r1mlkem768": (1249, 1153),
    "secp384r1mlkem1024": (1665, 1665),
}
# (public key, signature).
_SIGNATURES = {
    "rsa2048": (270, 256),
    "rsa3072": (398, 384),
    "rsa4096": (526, 512),
    "p384": (97, 104),
    "ed25519": (32, 64),
    "mldsa44": (1312, 2420),
    "mldsa65": (1952, 3309),
    "mldsa87": (2592, 4627),
    "slhdsasha2128s": (32, 7856),
    "slhdsasha2128f": (32, 17088),
}
_DEFAULT_SHARES = (32, 32)
_DEFAULT_SIGNATURE = (65, 72)  # ECDSA with P-256
_OF_DEFAULT_SIZE = frozenset({"p256"})


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
    return _SHARES.get(_plain(group), _DEFAULT_SHARES)


def has_known_sizes(profile: Profile) -> bool:
    """Tell whether the sizes of the shares and signatures of `profile` are in the tables here."""
    chains = [chain for chain in (profile.chain, profile.clients_chain) if chain is not None]
    proofs = {_plain(chain.algorithm) for chain in chains}
    return _plain(profile.group) in _SHARES and proofs <= _SIGNATURES.keys() | _OF_DEFAULT_SIZE


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
    return _SIGNATURES.get(_plain(algorithm), _DEFAULT_SIGNATURE)[0]


def signature_bytes(algorithm: str) -> int:
    """Return about the size of a signature by `algorithm`: ECDSA's varies by some bytes."""
    return _SIGNATURES.get(_plain(algorithm), _DEFAULT_SIGNATURE)[1]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
