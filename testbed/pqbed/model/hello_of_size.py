"""A ClientHello of a wanted size, made of what a client of OpenSSL really sends: more groups, and key shares of some.

OpenSSL has no extension of free length, and libcurl adds none. Each further group has 2 bytes, each further key share 4
and the share; the server takes none of them, so the handshake is that of the profile with a larger first flight.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace

from pqbed.errors import SpecError
from pqbed.model.message_sizes import client_hello_bytes
from pqbed.spec.profile import MOST_GROUPS, Profile
from pqbed.tls.group_names import canonical_group
from pqbed.tls.published_algorithms import published_groups

# OPENSSL_CLIENT_MAX_KEY_SHARES (ssl_local.h).
MOST_SHARES = 4
# A group has 2 bytes, so an odd size may be missed by one.
TOLERANCE_BYTES = 1


def size_hello(profile: Profile, hello_bytes: int) -> Profile:
    """Return `profile` with a ClientHello of `hello_bytes` as the record has it, to within a byte.

    Raises SpecError if no groups and shares give that size; the hint names the nearest that are possible.
    """
    if profile.groups or profile.shares:
        raise SpecError("hello_bytes chooses groups and shares, which are given too", "leave out one of them")
    sized = min(
        _hellos(profile),
        key=lambda one: (max(0, abs(hello_bytes - one[0]) - TOLERANCE_BYTES), len(one[1]), len(one[2])),
    )
    size, shares, groups = sized
    if abs(size - hello_bytes) > TOLERANCE_BYTES:
        raise SpecError(
            f"no ClientHello of OpenSSL with {profile.group} has {hello_bytes} bytes", f"the nearest has {size} bytes"
        )
    return replace(profile, groups=groups, shares=shares)


def _hellos(profile: Profile) -> Iterator[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """Yield sizes of hellos with their shares and groups; the one that is to be negotiated comes first."""
    others = [name for name in published_groups() if name != canonical_group(profile.group)]
    for number in range(MOST_SHARES):
        for more in itertools.combinations(others, number):
            shares = (profile.group, *more)
            idle = [name for name in others if name not in more]
            for count in range(MOST_GROUPS - len(shares) + 1):
                groups = (*shares, *idle[:count])
                yield client_hello_bytes(replace(profile, groups=groups, shares=shares), shares), shares, groups
