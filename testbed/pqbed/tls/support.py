"""What a stack can do, asked of the stack itself (never read from a table)."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pqbed.errors import HostError
from pqbed.spec.codec import from_json
from pqbed.spec.profile import Profile
from pqbed.spec.stacks import Stack
from pqbed.tls.groups import canonical_group
from pqbed.tls.providers import ServedGroup, provided_groups
from pqbed.tls.signatures import KEY_KINDS, canonical_scheme

_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """`groups` and `signatures` as OpenSSL and the IANA registry name them, or their codepoints.

    `version` is the library's own line, `providers` are those that it loads algorithms from, where it has such, and
    `provided` tells which of them serves a group.
    """

    version: str
    groups: tuple[str, ...]
    signatures: tuple[str, ...]
    providers: tuple[str, ...] = ()
    provided: dict[str, ServedGroup] = field(default_factory=dict)

    def reason_against(self, profile: Profile) -> str:
        """Say why this side cannot speak `profile`; empty when it can."""
        if canonical_group(profile.group) not in map(canonical_group, self.groups):
            return f"{self.version} has no group {profile.group}"
        for chain in filter(None, (profile.chain, profile.clients_chain)):
            for algorithm in (chain.algorithm, chain.authority):
                if not self._has_certificates(algorithm):
                    return f"{self.version} has no certificates of algorithm {algorithm}"
        return ""

    def provider_of(self, group: str) -> str | None:
        """Return the provider that serves `group`; None where the library has none, or does not tell."""
        found = self._find(group)
        return None if found is None else found.provider

    def codepoint_of(self, group: str) -> int | None:
        """Return the codepoint of `group`; None where the library does not tell."""
        found = self._find(group)
        return None if found is None else found.codepoint

    def _find(self, group: str) -> ServedGroup | None:
        names = {canonical_group(name): one for name, one in self.provided.items()}
        return names.get(canonical_group(group))

    def _has_certificates(self, algorithm: str) -> bool:
        kind = KEY_KINDS.get(algorithm)
        return kind is not None and kind.scheme in map(canonical_scheme, self.signatures)


def refusals(support: Support, profiles: Iterable[Profile]) -> dict[str, str]:
    """Return why profiles cannot be spoken, by their names; those that can are left out."""
    reasons = {profile.name: support.reason_against(profile) for profile in profiles}
    return {name: reason for name, reason in reasons.items() if reason}


class Probed:
    """One side of a stack, which is asked once what it offers."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._support: Support | None = None

    def support(self) -> Support:
        """Say what this stack offers."""
        if self._support is None:
            self._support = probe_support(self._stack)
        return self._support

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        """Return why profiles cannot be spoken, by their names."""
        return refusals(self.support(), profiles)


def probe_support(stack: Stack) -> Support:
    """Ask the stack's own program, or where it has none `openssl` (3.5 or newer). Raises HostError."""
    return _probe_program(stack) if stack.program else _probe_openssl()


def _probe_program(stack: Stack) -> Support:
    command = (*stack.program, "probe")
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode:
        raise HostError(f"{stack.name} does not say what it supports: {done.stderr.strip()[-300:]}")
    return from_json(Support, json.loads(done.stdout))


def _probe_openssl() -> Support:
    return Support(
        version=_openssl("version").split("(")[0].strip(),
        groups=_names(_openssl("list", "-tls1_3", "-tls-groups")),
        signatures=_names(_openssl("list", "-tls1_3", "-tls-signature-algorithms")),
        providers=_providers(_openssl("list", "-providers")),
        provided=provided_groups(),
    )


def _providers(text: str) -> tuple[str, ...]:
    """Read `openssl list -providers`: below a heading, each name and under it what there is to say of it."""
    lines = [line for line in text.splitlines()[1:] if line.startswith("  ") and not line.startswith("   ")]
    return tuple(line.strip() for line in lines)


def _names(text: str) -> tuple[str, ...]:
    # A name that several providers offer is listed once for each.
    return tuple(dict.fromkeys(name.strip() for name in text.replace("\n", ":").split(":") if name.strip()))


def _openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    return done.stdout.strip()
