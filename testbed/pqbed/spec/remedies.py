"""Remedies against large chains, as arms of the preset `remedies`: what each is, and what it takes to deploy it.

Arms that are there `by_size` send as many bytes as the remedy would, with other certificates: their times are right as
far as bytes decide them, their CPU is that of what was sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """`needs`: what a server's operator and its clients must have."""

    title: str
    needs: str
    by_size: bool = False


# Of another profile than the run's first.
PROFILE_REMEDIES = {
    "leaf-only": Remedy(title="leaf only", needs="clients that hold the intermediates", by_size=True),
    "compressed": Remedy(title="compression (RFC 8879)", needs="server and clients with RFC 8879", by_size=True),
    "abridged": Remedy(title="abridged certificates", needs="the draft in server and clients", by_size=True),
    "merkle-tree": Remedy(title="Merkle Tree Certificate", needs="the draft in CA, server and clients", by_size=True),
    "merkle-tree-stale": Remedy(
        title="Merkle Tree, 10% stale clients", needs="the draft in CA, server and clients", by_size=True
    ),
    "falcon512": Remedy(title="Falcon-512", needs="FN-DSA in CA, logs, server and clients", by_size=True),
    "leaf-mldsa44-classical-ca": Remedy(title="ML-DSA-44 leaf, classical CA", needs="a CA that is not post-quantum"),
    "leaf-mldsa44-ca-mldsa65": Remedy(title="ML-DSA-44 leaf, ML-DSA-65 CA", needs="no more than the baseline"),
    "slhdsa-root": Remedy(title="root of SLH-DSA", needs="clients that verify SLH-DSA"),
}


FAST_OPEN = Remedy(title="TCP Fast Open", needs="kernel settings of both sides, a path that lets it through")


def has_remedies(profiles: Iterable[str]) -> bool:
    """Tell whether a run with these profiles was made to compare remedies."""
    return not PROFILE_REMEDIES.keys().isdisjoint(profiles)


def profile_remedy(profile: str) -> Remedy:
    """Return what profile `profile` is as a remedy; one that is none of the preset's is what it is called."""
    return PROFILE_REMEDIES.get(profile) or Remedy(title=f"profile {profile}", needs="-")


def window_remedy(segments: int) -> Remedy:
    return Remedy(title=f"initcwnd {segments}", needs="a route option on the server")


def connection_remedy(kind: str) -> Remedy:
    return Remedy(title=f"{kind} connection", needs="clients that come back, tickets on")
