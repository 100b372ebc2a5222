"""Certificate keys: the `openssl` arguments that make one, and the TLS 1.3 signature scheme it signs with."""

import functools
from dataclasses import dataclass

from pqbed.errors import SpecError
from pqbed.tls.published_algorithms import signatures_by_key


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyKind:
    """`newkey`: the arguments of `openssl req -newkey`. `scheme`: what CertificateVerify uses."""

    newkey: tuple[str, ...]
    scheme: str


# OpenSSL writes an ML-DSA key as seed and expanded key; Go reads only the seed (RFC 9881 allows both).
_SEED_ONLY = ("-provparam", "ml-dsa.output_formats=seed-only")
_NEWKEY = {
    "rsa2048": ("rsa:2048",),
    "rsa3072": ("rsa:3072",),
    "rsa4096": ("rsa:4096",),
    "p256": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "p384": ("ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "p521": ("ec", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "ed25519": ("ed25519",),
    "ed448": ("ed448",),
    "mldsa44": ("mldsa44", *_SEED_ONLY),
    "mldsa65": ("mldsa65", *_SEED_ONLY),
    "mldsa87": ("mldsa87", *_SEED_ONLY),
}


def _kind(key: str) -> KeyKind:
    scheme = signatures_by_key()[key].scheme
    assert scheme is not None, key
    return KeyKind(newkey=_NEWKEY[key], scheme=scheme)


KEY_KINDS = {key: _kind(key) for key in _NEWKEY}


def key_kind(algorithm: str) -> KeyKind:
    """Return how keys of `algorithm` are made. One beyond the table has a single name, as a provider gives it."""
    return KEY_KINDS.get(algorithm) or KeyKind(newkey=(algorithm,), scheme=algorithm)


def scheme_codepoint(scheme: str) -> int:
    """Return the codepoint of a signature scheme, by its name in the registry or as a codepoint. Raises SpecError."""
    name = canonical_scheme(scheme)
    try:
        return _codepoints().get(name) or int(name, 16)
    except ValueError:
        raise SpecError(f"the codepoint of signature scheme {scheme!r} is not known") from None


def canonical_scheme(text: str) -> str:
    """Return the canonical name of a scheme that a tool prints differently or as a codepoint (`MLDSA65`, `0x0905`)."""
    lower = text.strip().lower()
    return _names().get(lower, lower)


@functools.cache
def _codepoints() -> dict[str, int]:
    kinds = signatures_by_key().values()
    return {kind.scheme: kind.codepoint for kind in kinds if kind.scheme and kind.codepoint is not None}


@functools.cache
def _names() -> dict[str, str]:
    names = {scheme.lower(): scheme for scheme in _codepoints()}
    return names | {f"0x{codepoint:04x}": scheme for scheme, codepoint in _codepoints().items()}
