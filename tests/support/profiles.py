"""Profiles that many tests fetch with."""

from pqbed.spec.profile import Chain, Profile

CLASSICAL = Profile(name="classical", group="X25519", chain=Chain(algorithm="rsa2048"))
PQ = Profile(name="pq", group="X25519MLKEM768", chain=Chain(algorithm="mldsa65"))
