"""CPU time per operation on this host, by the stack's own `openssl speed`.

It counts user-mode CPU time of its process, so a busy machine affects it little. Never run in a guest: virtual time
has no CPU time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pqbed.beds.stack_programs import RunProgram

# `-seconds` takes integers; keygen, encaps and sign take this long each.
SECONDS = 1
TIMEOUT_S = 60.0

# Prefix of a result line of `openssl speed -mr` -> the operations whose rates per second end it (apps/speed.c):
# `+F9:13:20000.0:10000.0:40000.0` is a KEM with 20,000 keygen, 10,000 encaps and 40,000 decaps per second.
_OPERATIONS = MappingProxyType(
    {
        "+F2": ("sign", "verify", "encrypt", "decrypt"),  # RSA
        "+F4": ("sign", "verify"),  # ECDSA
        "+F6": ("sign", "verify"),  # EdDSA
        "+F9": ("keygen", "encaps", "decaps"),  # a KEM
        "+F10": ("keygen", "sign", "verify"),  # a signature algorithm of a provider
    }
)
# Name in the table -> argument of `openssl speed`. Diffie-Hellman over curves is measured as a KEM (RFC 9180), which
# also derives a key. It has no such test for ffdhe.
_GROUPS = MappingProxyType(
    {
        "secp256r1": "ECP-256",
        "secp384r1": "ECP-384",
        "secp521r1": "ECP-521",
        "x25519": "X25519",
        "x448": "X448",
        "MLKEM512": "ML-KEM-512",
        "MLKEM768": "ML-KEM-768",
        "MLKEM1024": "ML-KEM-1024",
        "SecP256r1MLKEM768": "SecP256r1MLKEM768",
        "X25519MLKEM768": "X25519MLKEM768",
        "SecP384r1MLKEM1024": "SecP384r1MLKEM1024",
    }
)
_OLDER_SIGNATURES = MappingProxyType(
    {
        "RSA-PSS 2048": "rsa2048",
        "RSA-PSS 3072": "rsa3072",
        "RSA-PSS 4096": "rsa4096",
        "ECDSA P-256": "ecdsap256",
        "ECDSA P-384": "ecdsap384",
        "ECDSA P-521": "ecdsap521",
        "Ed25519": "ed25519",
        "Ed448": "ed448",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU time of one operation in ns, by its name: keygen, encaps, decaps, sign, verify."""

    operations_ns: Mapping[str, float]


NO_COST = Cost(operations_ns=MappingProxyType({}))


def has_test(group: str) -> bool:
    """Return whether `openssl speed` has a test of this group."""
    return group in _GROUPS


def group_cost(run: RunProgram, name: str) -> Cost:
    """Measure a group of the table: about 3 s. Without operations if there is no test of it."""
    return _measure(run, ("-kem-algorithms", _GROUPS[name])) if name in _GROUPS else NO_COST


def signature_cost(run: RunProgram, name: str) -> Cost:
    """Measure a signature algorithm of the table: about 3 s."""
    older = _OLDER_SIGNATURES.get(name)
    return _measure(run, ("-signature-algorithms", name) if older is None else (older,))


def _measure(run: RunProgram, arguments: tuple[str, ...]) -> Cost:
    return read_speed(run(("openssl", "speed", "-mr", "-seconds", str(SECONDS), *arguments), TIMEOUT_S))


def read_speed(text: str) -> Cost:
    """Parse the output of `openssl speed -mr`; operations with a rate of 0 are left out."""
    operations_ns: dict[str, float] = {}
    for line in text.splitlines():
        kind, *fields = line.split(":")
        operations = _OPERATIONS.get(kind, ())
        rates = map(float, fields[len(fields) - len(operations) :])
        operations_ns |= {name: 1e9 / rate for name, rate in zip(operations, rates, strict=True) if rate}
    return Cost(operations_ns=operations_ns)
