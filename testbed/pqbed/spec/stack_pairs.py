"""Profiles over stacks: each arm again for every server and client that are to be compared."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from pqbed.spec.profile import Profile


def pair_profiles(
    profiles: Sequence[Profile], servers: Sequence[str] | None, clients: Sequence[str | None] | None
) -> tuple[Profile, ...]:
    """Return each of `profiles` served by each of `servers` to each of `clients`, the first profile's pairs first.

    None: the stacks that the profiles name; a client None: the server's. Arms that are on other stacks than their
    profile says, and all of them where there are several pairs, are named after their pair.
    """
    if servers is None and clients is None:
        return tuple(profiles)
    found: dict[Profile, None] = {}
    for profile in profiles:
        pairs = list(itertools.product(servers or (profile.stack,), clients or (None,)))
        for server, client in pairs:
            arm = replace(profile, stack=server, client_stack=None if client == server else client)
            found[arm if pairs == [(server, client)] and arm == profile else replace(arm, name=_name(arm))] = None
    return tuple(found)


def _name(arm: Profile) -> str:
    """Name an arm: `hybrid.go`, or `hybrid.go-to-openssl` where client and server differ."""
    pair = arm.stack if arm.client_stack is None else f"{arm.client_stack}-to-{arm.stack}"
    return f"{arm.name}.{pair}"
