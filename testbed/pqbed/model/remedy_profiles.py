"""Profiles that send what remedies would, for any chain: the arms that the preset `remedies` has for one.

Those by size are padded so that chain and CertificateVerify together have the bytes of the remedy.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from pqbed.errors import SpecError
from pqbed.model.message_sizes import certificate_message_bytes, signature_bytes
from pqbed.spec.profile import SCT_FRAME_BYTES, Chain, ChainCertificate, Profile
from pqbed.tls.published_algorithms import certificate_only_algorithms, signatures_by_key

# What compression saves of a classical median chain of three, 4,032 to 3,243 (results/published/web-chains.csv): names
# and extensions, since keys and signatures do not compress.
_COMPRESSED_PER_CERTIFICATE = (4_032 - 3_243) // 3
# What abridging saves of the leaf itself: 1,060 bytes are left of a median chain (the same table), whose leaf has 1,318
# in `web-p50`.
_ABRIDGED_OF_LEAF = 1_318 - 1_060
# A Merkle tree certificate: a proof of inclusion (second-hand), and around it and the key.
_PROOF_BYTES, _AROUND_PROOF_BYTES = 736, 400
# Falcon-512: FN-DSA's key and signature.
_FALCON_KEY_BYTES, _FALCON_SIGNATURE_BYTES = 897, 666
# The algorithm that padded certificates are of: small, and known to every stack.
_PADDED_BY = "p256"
_CLASSICAL = ("rsa2048", "rsa2048", "rsa4096")
# The leaf of the arms that are named after it.
_LEAF = "mldsa44"
_SLHDSA = "SLH-DSA-SHA2-128s"
# A certificate in the message: its length and that of its extensions.
_AROUND_EACH = 5


def remedy_profiles(helped: Profile) -> tuple[Profile, ...]:
    """Return the remedies for the chain of `helped`, each under its name.

    Raises SpecError if the sizes of its algorithms are not known.
    """
    if unknown := set(helped.chain.algorithms) - signatures_by_key().keys() - certificate_only_algorithms():
        raise SpecError(
            f"profile {helped.name}: the sizes of {min(unknown)} are in no table, so no remedy can be made of its size",
            "name a profile with a chain of RSA, ECDSA or ML-DSA",
        )
    if helped.chain.ocsp:
        raise SpecError(f"profile {helped.name} staples an OCSP response, and remedies do not", "leave out ocsp")
    made = {name: make(helped.chain) for name, make in _REMEDIES.items()}
    arms = {name: chain for name, chain in made.items() if chain is not None and chain != helped.chain}
    return tuple(replace(helped, name=name, chain=chain) for name, chain in arms.items())


def _leaf_only(chain: Chain) -> Chain | None:
    return _leaf_of(chain, 0) if chain.length > 1 else None


def _abridged(chain: Chain) -> Chain | None:
    return _leaf_of(chain, _ABRIDGED_OF_LEAF)


def _leaf_of(chain: Chain, less_bytes: int) -> Chain:
    leaf = ChainCertificate(algorithm=chain.algorithm, der_bytes=_leaf_bytes(chain) - less_bytes)
    return Chain(certificate=(leaf,), scts=chain.scts, sct_bytes=chain.sct_bytes)


def _compressed(chain: Chain) -> Chain | None:
    return _padded(chain, _whole(chain) - _COMPRESSED_PER_CERTIFICATE * chain.length, _signature(chain.algorithm))


def _merkle_tree(chain: Chain) -> Chain | None:
    content = _key(chain.algorithm) + _PROOF_BYTES + _AROUND_PROOF_BYTES
    return replace(_padded(chain, content, _signature(chain.algorithm)), depth=1)


def _falcon(chain: Chain) -> Chain | None:
    keys = sum(_key(one.algorithm) - _FALCON_KEY_BYTES for one in chain.sent)
    signatures = sum(_signature(issuer) - _FALCON_SIGNATURE_BYTES for issuer in chain.issuers)
    scts = chain.scts * (chain.sct_bytes - SCT_FRAME_BYTES - _FALCON_SIGNATURE_BYTES)
    return _padded(chain, _whole(chain) - keys - signatures - max(0, scts), _FALCON_SIGNATURE_BYTES)


def _classical_ca(chain: Chain) -> Chain | None:
    authorities = _CLASSICAL[1:] if chain.length > 2 else _CLASSICAL[2:] * (chain.length - 1)
    scts = replace(chain, sct_bytes=SCT_FRAME_BYTES + _signature("p256"))
    fits = chain.algorithm == _LEAF and 1 < chain.length <= len(_CLASSICAL)
    return _other_authorities(scts, authorities, _CLASSICAL[0], chain) if fits else None


def _larger_ca(chain: Chain) -> Chain | None:
    fits = chain.algorithm == _LEAF and chain.length > 1
    return _other_authorities(chain, ("mldsa65",) * (chain.length - 1), "mldsa65", chain) if fits else None


def _slhdsa_root(chain: Chain) -> Chain | None:
    other = replace(chain, algorithm="", depth=2, intermediate=None, certificate=chain.sent, root=_SLHDSA)
    return _same_frames(other, chain)


def _other_authorities(scts: Chain, authorities: tuple[str, ...], root: str, chain: Chain) -> Chain:
    """Return `chain` with other keys above the leaf, and the SCTs of `scts`."""
    certificates = tuple(ChainCertificate(algorithm=name) for name in (chain.algorithm, *authorities))
    other = Chain(certificate=certificates, root=root, scts=scts.scts, sct_bytes=scts.sct_bytes)
    return _same_frames(other, chain)


def _same_frames(other: Chain, chain: Chain) -> Chain:
    """Pad `other` so that names and extensions have the bytes that they have in `chain`."""
    return replace(other, wire_bytes=_whole(chain) + _keys_and_signatures(other) - _keys_and_signatures(chain))


def _padded(chain: Chain, certificate_bytes: int, verify_bytes: int) -> Chain:
    """Return a chain that has, with its CertificateVerify, the bytes of a message and of a signature."""
    missing = verify_bytes - _signature(_PADDED_BY)
    return Chain(algorithm=_PADDED_BY, depth=chain.length, wire_bytes=certificate_bytes + missing)


def _whole(chain: Chain) -> int:
    return certificate_message_bytes(chain)


def _leaf_bytes(chain: Chain) -> int:
    """Return the size of the leaf: padding is split evenly over the certificates."""
    if chain.sent[0].der_bytes is not None:
        return chain.sent[0].der_bytes
    sizes = [
        _whole(Chain(certificate=(one,), root=issuer)) for one, issuer in zip(chain.sent, chain.issuers, strict=True)
    ]
    scts = _whole(replace(chain, wire_bytes=None)) - sum(sizes)
    padding = _whole(chain) - sum(sizes) - scts - _AROUND_EACH * chain.length
    return sizes[0] + scts + max(0, padding) // chain.length


def _keys_and_signatures(chain: Chain) -> int:
    keys = sum(_key(one.algorithm) for one in chain.sent)
    return keys + sum(map(_signature, chain.issuers)) + chain.scts * chain.sct_bytes


def _key(algorithm: str) -> int:
    return signatures_by_key()[algorithm].public_key_bytes


def _signature(algorithm: str) -> int:
    return signature_bytes(algorithm)


# By the names of the preset's arms (spec/remedies.py).
_REMEDIES: Mapping[str, Callable[[Chain], Chain | None]] = MappingProxyType(
    {
        "leaf-only": _leaf_only,
        "compressed": _compressed,
        "abridged": _abridged,
        "merkle-tree": _merkle_tree,
        "falcon512": _falcon,
        "leaf-mldsa44-classical-ca": _classical_ca,
        "leaf-mldsa44-ca-mldsa65": _larger_ca,
        "slhdsa-root": _slhdsa_root,
    }
)
