"""A chain moved to another signature algorithm: the same certificates, names and extensions, with other keys.

What changes is a public key and a signature per certificate and a signature per SCT; the bytes around them stay.
"""

from dataclasses import replace

from pqbed.spec.profile import SCT_FRAME_BYTES, Chain, ChainCertificate
from pqbed.tls.published_algorithms import signatures_by_key


def migrate_chain(
    chain: Chain,
    algorithm: str,
    *,
    scts: bool = True,
    leaf: str | None = None,
    intermediates: str | None = None,
    root: str | None = None,
) -> Chain:
    """Return `chain` with all keys, the root's included, and with `scts` the logs' too, of `algorithm`.

    `leaf`, `intermediates` and `root` have another one where they are named. Sizes that were given grow or shrink with
    the keys and signatures, to within the few bytes of DER lengths.
    """
    sct_bytes = SCT_FRAME_BYTES + _signature_bytes(algorithm) if scts and chain.scts else chain.sct_bytes
    keys = (leaf or algorithm, *[intermediates or algorithm] * (chain.length - 1))
    signers = (*keys[1:], root or intermediates or algorithm)
    growths = [
        _growth(sent, issuer, key, signer)
        for sent, issuer, key, signer in zip(chain.sent, chain.issuers, keys, signers, strict=True)
    ]
    growths[0] += chain.scts * (sct_bytes - chain.sct_bytes)
    certificates = tuple(
        replace(one, algorithm=key, der_bytes=None if one.der_bytes is None else one.der_bytes + growth)
        for one, key, growth in zip(chain.sent, keys, growths, strict=True)
    )
    wire_bytes = None if chain.wire_bytes is None else chain.wire_bytes + sum(growths)
    return Chain(
        certificate=certificates,
        wire_bytes=wire_bytes,
        root=None if signers[-1] == keys[-1] else signers[-1],
        scts=chain.scts,
        sct_bytes=sct_bytes,
        ocsp=chain.ocsp,
    )


def _growth(certificate: ChainCertificate, issuer: str, key: str, signer: str) -> int:
    """Return by how many bytes a certificate grows whose key and signer change."""
    keys = _key_bytes(key) - _key_bytes(certificate.algorithm)
    return keys + _signature_bytes(signer) - _signature_bytes(issuer)


def _key_bytes(algorithm: str) -> int:
    return signatures_by_key()[algorithm].public_key_bytes


def _signature_bytes(algorithm: str) -> int:
    return signatures_by_key()[algorithm].signature_bytes
