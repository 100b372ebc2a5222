"""Algorithms that a stack supports, asked of the stack itself (never read from a table)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pqbed.errors import HostError, SpecError
from pqbed.spec.codec import from_json
from pqbed.spec.profile import Profile
from pqbed.spec.stacks import Stack
from pqbed.tls.groups import canonical_group
from pqbed.tls.openssl import list_openssl, run_openssl
from pqbed.tls.programs import run_program
from pqbed.tls.providers import ServedGroup, provided_groups
from pqbed.tls.signatures import KEY_KINDS, canonical_scheme

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """`groups` and `signatures` as OpenSSL and the IANA registry name them, or their codepoints.

    `version` is the library's own version line, `providers` are the ones it loads algorithms from, and `provided` holds
    the provider of each group. Libraries without providers have neither.
    """

    version: str
    groups: tuple[str, ...]
    signatures: tuple[str, ...]
    providers: tuple[str, ...] = ()
    provided: dict[str, ServedGroup] = field(default_factory=dict)

    def reason_against(self, profile: Profile) -> str:
        """Return why this side does not support `profile`; "" if it does."""
        if canonical_group(profile.group) not in map(canonical_group, self.groups):
            return f"{self.version} has no group {profile.group}"
        for chain in filter(None, (profile.chain, profile.clients_chain)):
            for algorithm in (chain.algorithm, chain.authority):
                if not self._has_certificates(algorithm):
                    return f"{self.version} has no certificates of algorithm {algorithm}"
        return ""

    def provider_of(self, group: str) -> str | None:
        """Return the provider of `group`; None if the library has no providers or does not report them."""
        served = self._served_group(group)
        return None if served is None else served.provider

    def codepoint_of(self, group: str) -> int | None:
        """Return the codepoint of `group`; None if the library does not report it."""
        served = self._served_group(group)
        return None if served is None else served.codepoint

    def _served_group(self, group: str) -> ServedGroup | None:
        groups = {canonical_group(name): served for name, served in self.provided.items()}
        return groups.get(canonical_group(group))

    def _has_certificates(self, algorithm: str) -> bool:
        kind = KEY_KINDS.get(algorithm)
        return kind is not None and kind.scheme in map(canonical_scheme, self.signatures)


def refusals(support: Support, profiles: Iterable[Profile]) -> dict[str, str]:
    """Return why profiles are not supported, by name; supported ones are left out."""
    reasons = {profile.name: support.reason_against(profile) for profile in profiles}
    return {name: reason for name, reason in reasons.items() if reason}


class Probed:
    """One side of a stack, asked once for the algorithms it supports."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._support: Support | None = None

    def support(self) -> Support:
        """Return the algorithms that this stack supports. Raises HostError if it does not answer."""
        if self._support is None:
            self._support = probe_support(self._stack)
        return self._support

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        """Return why profiles are not supported, by name."""
        return refusals(self.support(), profiles)


def probe_support(stack: Stack) -> Support:
    """Ask the stack's own program, or `openssl` (3.5 or newer) if it has none. Raises HostError."""
    return _probe_program(stack) if stack.program else _probe_openssl()


def _probe_program(stack: Stack) -> Support:
    text = run_program((*stack.program, "probe"), _TIMEOUT_S)
    try:
        return from_json(Support, json.loads(text))
    except (ValueError, SpecError) as error:
        raise HostError(f"the answer of {stack.program[0]} to `probe` cannot be read: {error}") from error


def _probe_openssl() -> Support:
    support = Support(
        version=run_openssl("version").split("(")[0].strip(),
        groups=_names(list_openssl("-tls1_3", "-tls-groups")),
        signatures=_names(list_openssl("-tls1_3", "-tls-signature-algorithms")),
        providers=_providers(list_openssl("-providers")),
        provided=provided_groups(),
    )
    if not support.groups or not support.signatures:
        raise HostError(f"{support.version} lists no groups or no signature algorithms for TLS 1.3")
    return support


def _providers(text: str) -> tuple[str, ...]:
    """Parse `openssl list -providers`: a heading, then each provider and, further indented, its details."""
    lines = [line for line in text.splitlines()[1:] if line.startswith("  ") and not line.startswith("   ")]
    return tuple(line.strip() for line in lines)


def _names(text: str) -> tuple[str, ...]:
    # A name that several providers offer is listed once for each.
    return tuple(dict.fromkeys(name.strip() for name in text.replace("\n", ":").split(":") if name.strip()))
