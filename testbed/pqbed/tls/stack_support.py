"""Algorithms that a stack supports, asked of the stack itself (never read from a table)."""

import functools
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pqbed.errors import HostError, SpecError
from pqbed.spec.json_codec import from_json
from pqbed.spec.link_sides import Side
from pqbed.spec.name_suggestions import likely
from pqbed.spec.profile import Profile
from pqbed.spec.stacks import GroupChoice, Stack
from pqbed.tls.certificate_keys import KEY_KINDS, canonical_scheme, key_kind
from pqbed.tls.group_names import canonical_group, group_codepoint
from pqbed.tls.openssl_command import PROGRAM, list_openssl, run_openssl
from pqbed.tls.openssl_providers import ServedGroup, provided_groups, provided_schemes
from pqbed.tls.published_algorithms import certificate_only_algorithms, published_groups
from pqbed.tls.run_program import run_program

_TIMEOUT_S = 30.0
# Names of a stack's list that a refusal repeats.
_LISTED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """`groups` and `signatures` as OpenSSL and the IANA registry name them, or their codepoints.

    `version` is the library's own version line, `providers` are the ones it loads algorithms from, and `provided` and
    `provided_schemes` hold the provider of each group and signature scheme. Libraries without providers have none.
    """

    version: str
    groups: tuple[str, ...]
    signatures: tuple[str, ...]
    providers: tuple[str, ...] = ()
    provided: dict[str, ServedGroup] = field(default_factory=dict)
    provided_schemes: dict[str, str] = field(default_factory=dict)

    def reason_against(self, profile: Profile, side: Side = "server") -> str:
        """Return why this library does not support `profile` on that side; "" if it does."""
        for group in profile.accepted if side == "server" else profile.offered:
            if not self.has_group(group):
                listed = _some(map(canonical_group, self.groups))
                return f"{self.version} has no group {group}: asked for its groups, it listed {listed}"
        for algorithm in key_algorithms(profile):
            if not self.has_key(algorithm):
                scheme = key_kind(algorithm).scheme
                also = "" if scheme == algorithm else f", which certificates of {algorithm} need"
                return (
                    f"{self.version} has no signature algorithm {scheme}{also}: asked for them, it listed "
                    f"{_some(map(canonical_scheme, self.signatures))}"
                )
        return ""

    def has_group(self, group: str) -> bool:
        """Return whether the library has `group`, by any of its names in any case, or by its codepoint."""
        names = {canonical_group(name).lower() for name in self.groups}
        return canonical_group(group).lower() in names or self._served_group(group) is not None

    def has_key(self, algorithm: str) -> bool:
        """Return whether certificates of `algorithm` can be signed and verified with.

        SLH-DSA has no scheme in TLS that a library could list. OpenSSL has it since ML-DSA, in 3.5 (CHANGES.md).
        """
        if algorithm in certificate_only_algorithms():
            return self.version.startswith("OpenSSL") and self.has_key("mldsa44")
        return canonical_scheme(key_kind(algorithm).scheme) in map(canonical_scheme, self.signatures)

    def name_of(self, group: str) -> str | None:
        """Return the canonical name of `group`, also if it is given as a codepoint; None if the library has no name."""
        served = self._served_group(group)
        names = (name for name, own in self.provided.items() if own == served)
        return None if served is None else canonical_group(next(names))

    def provider_of(self, group: str) -> str | None:
        """Return the provider of `group`; None if the library has no providers or does not report them."""
        served = self._served_group(group)
        return None if served is None else served.provider

    def codepoint_of(self, group: str) -> int | None:
        """Return the codepoint of `group`; None if the library does not report it."""
        served = self._served_group(group)
        return None if served is None else served.codepoint

    def provider_of_scheme(self, scheme: str) -> str | None:
        """Return the provider of a signature scheme; None if the library has no providers or does not report it."""
        schemes = {canonical_scheme(name): provider for name, provider in self.provided_schemes.items()}
        return schemes.get(canonical_scheme(scheme))

    def _served_group(self, group: str) -> ServedGroup | None:
        codepoint = group_codepoint(group)
        wanted = canonical_group(group).lower()
        for name, served in self.provided.items():
            if served.codepoint == codepoint or canonical_group(name).lower() == wanted:
                return served
        return None


def key_algorithms(profile: Profile) -> tuple[str, ...]:
    """Return the algorithms of all certificates of a profile, each once."""
    chains = [chain for chain in (profile.chain, profile.clients_chain) if chain is not None]
    return tuple(dict.fromkeys(name for chain in chains for name in chain.algorithms))


def lacking_choice(stack: Stack, profile: Profile, side: Side) -> str:
    """Return what of the groups of `profile` cannot be said to this side of `stack`; "" if all can."""
    several = {"server": len(profile.accepted) > 1, "client": len(profile.offered) > 1}[side]
    preferred = "/" in (profile.server_groups or "")
    choices: dict[Side, tuple[tuple[GroupChoice, bool, str], ...]] = {
        "server": (
            ("accepted", several, "it takes one group alone"),
            ("preferred", preferred, "it takes a group that has a key share before any other"),
        ),
        "client": (
            ("offered", several, "the groups that it offers cannot be chosen"),
            ("shares", bool(profile.shares), "it chooses the key shares itself"),
        ),
    }
    return next((reason for choice, asked, reason in choices[side] if asked and choice not in stack.groups), "")


def lacking_extension(stack: Stack, profile: Profile, side: Side) -> str:
    """Return which extension that `profile` asks for this side of `stack` does not do; "" if it does all."""
    asked = {"status_request": profile.chain.ocsp, "alpn": profile.alpn}
    words: dict[Side, dict[str, str]] = {
        "server": {"status_request": "it staples no OCSP response", "alpn": "it has no ALPN over HTTP/1.1"},
        "client": {"status_request": "it verifies no stapled OCSP response", "alpn": "its ALPN cannot be chosen"},
    }
    return next((words[side][name] for name, wanted in asked.items() if wanted and name not in stack.extensions), "")


def refuse_unknown_names(profiles: Iterable[Profile], listed: Iterable[str]) -> None:
    """Raise SpecError if a profile names a group or algorithm that neither our tables nor any stack's list has.

    `listed` are the groups and signature algorithms of all stacks that were asked.
    """
    own = tuple(listed)
    groups = {canonical_group(name).lower(): name for name in (*published_groups(), *own)}
    keys = {canonical_scheme(name): name for name in own} | {name: name for name in KEY_KINDS}
    keys |= {name: name for name in certificate_only_algorithms()}
    for profile in profiles:
        for name in (*profile.offered, *profile.accepted):
            group = canonical_group(name).lower()
            if group not in groups and group_codepoint(group) is None:
                raise _unknown_name("group", name, groups.values())
        for algorithm in key_algorithms(profile):
            if algorithm not in keys and canonical_scheme(algorithm) not in keys:
                raise _unknown_name("certificate algorithm", algorithm, keys.values())


def _unknown_name(noun: str, name: str, names: Iterable[str]) -> SpecError:
    return SpecError(
        f"there is no {noun} {name!r}: neither pqbed's table nor any stack asked for has it",
        f"{likely(name, names)}`pqbed algorithms` lists them",
    )


class Probed:
    """One side of a stack, asked once for the algorithms it supports."""

    side: ClassVar[Side] = "server"

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
        reasons = {
            profile.name: lacking_choice(self._stack, profile, self.side)
            or lacking_extension(self._stack, profile, self.side)
            or self.support().reason_against(profile, self.side)
            for profile in profiles
        }
        return {name: reason for name, reason in reasons.items() if reason}

    def listed(self) -> tuple[str, ...]:
        """Return the names of the groups and signature algorithms that the stack lists."""
        return (*self.support().groups, *self.support().signatures)


def probe_support(stack: Stack) -> Support:
    """Ask the stack's own program, or `openssl` (3.5 or newer) if it has none. Raises HostError."""
    return _probe_program(stack) if stack.program else _probe_openssl(shutil.which(PROGRAM))


def _probe_program(stack: Stack) -> Support:
    return read_support(stack, run_program((*stack.program, "probe"), _TIMEOUT_S))


def read_support(stack: Stack, text: str) -> Support:
    """Return what the program of `stack` answered to `probe`. Raises HostError if it cannot be read."""
    try:
        return from_json(Support, json.loads(text))
    except (ValueError, SpecError) as error:
        raise HostError(f"the answer of {stack.program[0]} to `probe` cannot be read: {error}") from error


@functools.cache
def _probe_openssl(_program: str | None) -> Support:
    """Ask the program at this path, once for both sides: a process has one configuration of OpenSSL."""
    version = run_openssl("version").split("(")[0].strip()
    groups = _names(list_openssl("-tls1_3", "-tls-groups"))
    signatures = _names(list_openssl("-tls1_3", "-tls-signature-algorithms"))
    support = Support(
        version=version,
        groups=groups,
        signatures=signatures,
        providers=_providers(list_openssl("-providers")),
        provided=provided_groups(),
        provided_schemes=provided_schemes(signatures),
    )
    if not support.groups or not support.signatures:
        raise HostError(f"{support.version} lists no groups or no signature algorithms for TLS 1.3")
    return support


def _providers(text: str) -> tuple[str, ...]:
    """Parse `openssl list -providers`: a heading, then each provider and, further indented, its details."""
    lines = [line for line in text.splitlines()[1:] if line.startswith("  ") and not line.startswith("   ")]
    return tuple(line.strip() for line in lines)


def _some(names: Iterable[str]) -> str:
    """Return the first names of a list, for a sentence."""
    once = tuple(dict.fromkeys(names))
    more = len(once) - _LISTED
    return ", ".join(once[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _names(text: str) -> tuple[str, ...]:
    # A name that several providers offer is listed once for each.
    return tuple(dict.fromkeys(name.strip() for name in text.replace("\n", ":").split(":") if name.strip()))
