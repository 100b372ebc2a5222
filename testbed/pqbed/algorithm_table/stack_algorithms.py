"""Groups and signature schemes of a stack's OpenSSL for TLS 1.3, with their providers, as reported by OpenSSL."""

import re
from dataclasses import dataclass

from pqbed.beds.stack_programs import RunProgram
from pqbed.errors import HostError
from pqbed.spec.stacks import Stack
from pqbed.tls.certificate_keys import canonical_scheme
from pqbed.tls.group_names import canonical_group
from pqbed.tls.stack_support import read_support

TIMEOUT_S = 30.0

_IMPLEMENTATION = re.compile(r"IDs: (?:\{ (?P<several>.*) \}|(?P<one>\S+)) @ (?P<provider>\S+)")
# The key type of a group or scheme, unless it has the same name.
_KEYS = (
    (re.compile(r"secp\d+r1|brainpool\w+tls13|ecdsa_\w+"), "EC"),
    (re.compile(r"ffdhe\d+"), "DH"),
    (re.compile(r"rsa_pss_pss_\w+"), "RSA-PSS"),
    (re.compile(r"rsa_\w+"), "RSA"),
)
# Allowed in certificates only: RFC 8446 4.2.3 forbids them in CertificateVerify.
_FORBIDDEN = re.compile(r"rsa_pkcs1_.*|dsa_.*|.*_sha1|.*_sha224")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Provider by name of `groups` and `schemes` of TLS 1.3, and of key types (`keys`), also those TLS cannot use."""

    version: str
    groups: dict[str, str]
    schemes: dict[str, str]
    keys: dict[str, str]

    def provider_of_key(self, name: str) -> str | None:
        """Return the provider of keys of this name (`SLH-DSA-SHA2-128s`), None if there is none."""
        return self.keys.get(name.lower())


def probe_stack(run: RunProgram) -> Probe:
    """Ask the `openssl` of the stack (3.5 or newer) behind `run`. Raises HostError."""
    keys = _key_providers(run(("openssl", "list", "-key-managers"), TIMEOUT_S))
    groups = _names(run(("openssl", "list", "-tls1_3", "-tls-groups"), TIMEOUT_S))
    schemes = _names(run(("openssl", "list", "-tls1_3", "-tls-signature-algorithms"), TIMEOUT_S))
    return Probe(
        version=run(("openssl", "version"), TIMEOUT_S).split("(")[0].strip(),
        groups={canonical_group(name): _provider(name, keys) for name in groups},
        schemes={name: _provider(name, keys) for name in schemes if not _FORBIDDEN.fullmatch(name)},
        keys=keys,
    )


def probe_program(run: RunProgram, stack: Stack) -> Probe:
    """Ask the program of a stack that has one of its own. Its algorithms have no providers. Raises HostError."""
    support = read_support(stack, run((*stack.program, "probe"), TIMEOUT_S))
    library = support.version.split(" ")[0]
    return Probe(
        version=support.version,
        groups={canonical_group(name): library for name in support.groups},
        schemes={canonical_scheme(name): library for name in support.signatures},
        keys={},
    )


def makes_keys(run: RunProgram, algorithm: str) -> bool:
    """Return whether the stack's `openssl` takes the name of a signature scheme as that of a key."""
    try:
        run(("openssl", "genpkey", "-algorithm", algorithm), TIMEOUT_S)
    except HostError:
        return False
    return True


def _key_providers(text: str) -> dict[str, str]:
    """Return the first provider of each key type, by all its names in lower case."""
    providers: dict[str, str] = {}
    for match in _IMPLEMENTATION.finditer(text):
        for name in (match["several"] or match["one"]).split(", "):
            providers.setdefault(name.lower(), match["provider"])
    return providers


def _provider(name: str, keys: dict[str, str]) -> str:
    """Return the provider of the keys of a group or scheme; "?" if OpenSSL does not say."""
    key = next((key for pattern, key in _KEYS if pattern.fullmatch(name)), name)
    return keys.get(key.lower(), "?")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.replace("\n", ":").split(":") if name.strip())
