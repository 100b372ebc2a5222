"""Certificate keys: how `openssl` makes one, and the TLS 1.3 signature scheme its leaf signs with.

Scheme names are those of RFC 8446 section 4.2.3 and draft-ietf-tls-mldsa, as OpenSSL spells them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyKind:
    """`newkey`: the arguments of `openssl req -newkey`. `scheme`: what CertificateVerify uses."""

    newkey: tuple[str, ...]
    scheme: str


KEY_KINDS = {
    "rsa2048": KeyKind(newkey=("rsa:2048",), scheme="rsa_pss_rsae_sha256"),
    "rsa3072": KeyKind(newkey=("rsa:3072",), scheme="rsa_pss_rsae_sha256"),
    "p256": KeyKind(newkey=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), scheme="ecdsa_secp256r1_sha256"),
    "p384": KeyKind(newkey=("ec", "-pkeyopt", "ec_paramgen_curve:P-384"), scheme="ecdsa_secp384r1_sha384"),
    "ed25519": KeyKind(newkey=("ed25519",), scheme="ed25519"),
    "mldsa44": KeyKind(newkey=("mldsa44",), scheme="mldsa44"),
    "mldsa65": KeyKind(newkey=("mldsa65",), scheme="mldsa65"),
    "mldsa87": KeyKind(newkey=("mldsa87",), scheme="mldsa87"),
}
