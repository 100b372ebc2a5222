"""The kinds of chains, and the algorithms, whose sizes on the wire are measured."""

from dataclasses import replace

from pqbed.spec.profile import LARGEST_WIRE_BYTES, Chain, ChainCertificate, Profile
from pqbed.tls.certificate_keys import KEY_KINDS
from pqbed.tls.published_algorithms import published_groups

RSA = Chain(algorithm="rsa2048")
MIXED = Chain(algorithm="mldsa44", intermediate="mldsa65")
NAMED = tuple(ChainCertificate(algorithm=key) for key in ("p256", "rsa2048", "rsa4096"))
NAMED_PQ = tuple(ChainCertificate(algorithm="mldsa44", der_bytes=size) for size in (9_500, 4_500))
PADDED = (2_500, 8_000, 16_000, LARGEST_WIRE_BYTES)
CHAINS = {
    "rsa2048": RSA,
    "p256": Chain(algorithm="p256"),
    "mldsa44": Chain(algorithm="mldsa44"),
    "mldsa65": Chain(algorithm="mldsa65"),
    "mldsa87": Chain(algorithm="mldsa87"),
    "mixed": MIXED,
    "mixed-deep": replace(MIXED, depth=4),
    "named": Chain(certificate=NAMED, root="p384", scts=3),
    "named-pq": Chain(certificate=NAMED_PQ, scts=2, sct_bytes=2_467),
    "lone": replace(RSA, depth=1),
    "lone-padded": replace(RSA, depth=1, wire_bytes=16_000),
    "p256-padded": Chain(algorithm="p256", wire_bytes=8_000),
    "mixed-padded": replace(MIXED, depth=3, wire_bytes=20_000),
    **{f"rsa2048-{size}": replace(RSA, wire_bytes=size) for size in PADDED},
}
CLIENT_CHAINS = {
    "mutual": None,
    "mutual-mixed": replace(MIXED, depth=4),
    "mutual-padded": CHAINS["rsa2048-16000"],
    "mutual-largest": CHAINS[f"rsa2048-{LARGEST_WIRE_BYTES}"],
}
FLIGHTS = {
    "flight-ecdsa": Chain(algorithm="p256"),
    "flight-mldsa44": Chain(algorithm="mldsa44"),
    "flight-mldsa65": Chain(algorithm="mldsa65"),
    "flight-slhdsa-root": Chain(algorithm="mldsa65", root="SLH-DSA-SHA2-128s"),
    "flight-mldsa87": Chain(algorithm="mldsa87"),
}
PROFILES = (
    *(Profile(name=name, group="X25519MLKEM768", chain=chain) for name, chain in FLIGHTS.items()),
    *(Profile(name=name, group="X25519", chain=chain) for name, chain in CHAINS.items()),
    Profile(name="mutual-pq", group="X25519MLKEM768", chain=CHAINS["mldsa65"], mutual=True),
    *(
        Profile(name=name, group="X25519", chain=RSA, mutual=True, client_chain=chain)
        for name, chain in CLIENT_CHAINS.items()
    ),
)
# Every group with the smallest chain there is, and every kind of key in a leaf alone.
ALGORITHMS = (
    *(Profile(name=name, group=name, chain=Chain(algorithm="ed25519", depth=1)) for name in published_groups()),
    *(Profile(name=key, group="x25519", chain=Chain(algorithm=key, depth=1)) for key in KEY_KINDS),
)
