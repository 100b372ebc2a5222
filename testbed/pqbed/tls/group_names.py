"""Canonical names of key-exchange groups (those of algorithms.py), whatever a tool prints.

nginx's `$ssl_curve` names the groups its OpenSSL can name and prints the codepoint of the others.
"""

import functools

from pqbed.tls.published_algorithms import published_groups

# The response header in which the server reports the negotiated group.
GROUP_HEADER = "X-Pqbed-Group"

# The same group under the other names that OpenSSL and nginx print.
ALIASES = {"prime256v1": "secp256r1", "p-256": "secp256r1", "p-384": "secp384r1", "p-521": "secp521r1"}


def canonical_group(text: str) -> str:
    """Return the registry's name for a tool's (`X25519`, `prime256v1`, `0x11ec`), else `text` itself."""
    lower = text.strip().lower()
    lower = ALIASES.get(lower, lower)
    return _names().get(lower, lower if lower.startswith("0x") else text.strip())


def group_codepoint(text: str) -> int | None:
    """Return the codepoint of a group, by any of its names in the registry or as a codepoint (`0xfe35`); else None."""
    name = canonical_group(text)
    if name in published_groups():
        return published_groups()[name].codepoint
    try:
        return int(name, 16) if name.startswith("0x") else None
    except ValueError:
        return None


@functools.cache
def _names() -> dict[str, str]:
    names = {}
    for group in published_groups().values():
        names[group.name.lower()] = names[f"{group.codepoint:#06x}"] = names[f"{group.codepoint:#x}"] = group.name
    return names
