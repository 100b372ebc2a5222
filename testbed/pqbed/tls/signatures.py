"""Certificate keys: how `openssl` makes one, and the TLS 1.3 signature scheme its leaf signs with (algorithms.py)."""

from dataclasses import dataclass

from pqbed.tls.algorithms import signatures_by_key


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyKind:
    """`newkey`: the arguments of `openssl req -newkey`. `scheme`: what CertificateVerify uses."""

    newkey: tuple[str, ...]
    scheme: str


_NEWKEY = {
    "rsa2048": ("rsa:2048",),
    "rsa3072": ("rsa:3072",),
    "rsa4096": ("rsa:4096",),
    "p256": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "p384": ("ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "p521": ("ec", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "ed25519": ("ed25519",),
    "ed448": ("ed448",),
    "mldsa44": ("mldsa44",),
    "mldsa65": ("mldsa65",),
    "mldsa87": ("mldsa87",),
}


def _kind(key: str) -> KeyKind:
    scheme = signatures_by_key()[key].scheme
    assert scheme is not None, key
    return KeyKind(newkey=_NEWKEY[key], scheme=scheme)


KEY_KINDS = {key: _kind(key) for key in _NEWKEY}
