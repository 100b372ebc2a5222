"""CPU time of a handshake's public-key operations, which virtual time leaves out: sums of `openssl speed`.

Symmetric cryptography, parsing and system calls are not included; they hardly differ between profiles.
"""

from collections.abc import Iterable, Mapping, Sequence

from pqbed.spec.connection import ConnectionKind
from pqbed.spec.profile import DEFAULT_STACK, Chain, Profile
from pqbed.store.manifest import HandshakeCpu
from pqbed.tls.group_names import canonical_group

# CPU time in ns by operation (keygen, encaps, decaps, sign, verify), by the name of a group or of a kind of key.
Costs = Mapping[str, Mapping[str, float]]


def cost_names(profiles: Iterable[Profile]) -> tuple[str, ...]:
    """Return the groups and kinds of keys that handshakes of `profiles` use."""
    names: dict[str, None] = {}
    for profile in _measurable(profiles):
        chains = [chain for chain in (profile.chain, profile.clients_chain) if chain is not None]
        keys = [name for chain in chains for name in chain.algorithms]
        names |= dict.fromkeys((*map(canonical_group, (profile.group, *profile.key_shares)), *keys))
    return tuple(names)


def handshake_cpu(
    profiles: Sequence[Profile], costs: Costs, kinds: Sequence[ConnectionKind] = ("full",)
) -> tuple[HandshakeCpu, ...]:
    """Return the cost of each OpenSSL profile whose operations all have a cost; A/A copies are left out.

    Of `kinds`, a full handshake and a resumed one differ; early data changes nothing, a kept connection has none.
    """
    wanted = [kind for kind in ("full", "resumed") if kind in kinds or (kind == "resumed" and "early" in kinds)]
    handshakes = (_handshake(profile, costs, kind) for profile in _measurable(profiles) for kind in wanted)
    return tuple(handshake for handshake in handshakes if handshake is not None)


def _measurable(profiles: Iterable[Profile]) -> list[Profile]:
    return [
        profile
        for profile in profiles
        if profile.copy_of is None and profile.stack == profile.clients_stack == DEFAULT_STACK
    ]


def _handshake(profile: Profile, costs: Costs, kind: str) -> HandshakeCpu | None:
    try:
        client_ns, server_ns = _exchange_keys(profile, costs)
        if kind == "full":
            client_ns += _check_ns(profile.chain, costs)
            server_ns += costs[profile.chain.algorithm]["sign"]
            if profile.clients_chain is not None:
                client_ns += costs[profile.clients_chain.algorithm]["sign"]
                server_ns += _check_ns(profile.clients_chain, costs)
    except KeyError:
        return None
    return HandshakeCpu(profile=profile.name, client_ns=round(client_ns), server_ns=round(server_ns), connection=kind)


def _exchange_keys(profile: Profile, costs: Costs) -> tuple[float, float]:
    """Return the time of the client, which makes a key for each share, one of a second hello too, and of the server.

    A resumed handshake has no other public-key operations (RFC 8446 2.2, psk_dhe_ke).
    """
    group = costs[canonical_group(profile.group)]
    shares = (*profile.key_shares, *([profile.group] if profile.retries else []))
    keys_ns = sum(costs[canonical_group(share)]["keygen"] for share in shares)
    return keys_ns + group["decaps"], group["encaps"]


def _check_ns(chain: Chain, costs: Costs) -> float:
    """Return the time to verify CertificateVerify, all certificates that are sent, and a stapled response."""
    stapled = [chain.issuers[0]] if chain.ocsp else []
    return costs[chain.algorithm]["verify"] + sum(costs[issuer]["verify"] for issuer in (*chain.issuers, *stapled))
