"""A chain moved to another signature algorithm: the same certificates, names and extensions, with other keys.

What changes is a public key and a signature per certificate and a signature per SCT; the bytes around them stay.
"""

from dataclasses import replace

from pqbed.spec.profile import SCT_FRAME_BYTES, Chain, ChainCertificate
from pqbed.tls.published_algorithms import signatures_by_key


def migrate_chain(chain: Chain, algorithm: str, *, scts: bool = True) -> Chain:
    """Return `chain` with all keys, the root's included, and with `scts` the logs' too, of `algorithm`.

    Sizes that were given grow or shrink with the keys and signatures, to within the few bytes of DER lengths.
    """
    sct_bytes = SCT_FRAME_BYTES + _signature_bytes(algorithm) if scts and chain.scts else chain.sct_bytes
    in_scts = chain.scts * (sct_bytes - chain.sct_bytes)
    pairs = zip(chain.sent, chain.issuers, strict=True)
    growths = [_growth(sent, issuer, algorithm) for sent, issuer in pairs]
    growths[0] += in_scts
    certificates = tuple(
        replace(one, algorithm=algorithm, der_bytes=None if one.der_bytes is None else one.der_bytes + growth)
        for one, growth in zip(chain.sent, growths, strict=True)
    )
    wire_bytes = None if chain.wire_bytes is None else chain.wire_bytes + sum(growths)
    return Chain(certificate=certificates, wire_bytes=wire_bytes, scts=chain.scts, sct_bytes=sct_bytes, ocsp=chain.ocsp)


def _growth(certificate: ChainCertificate, issuer: str, algorithm: str) -> int:
    keys = _key_bytes(algorithm) - _key_bytes(certificate.algorithm)
    return keys + _signature_bytes(algorithm) - _signature_bytes(issuer)


def _key_bytes(algorithm: str) -> int:
    return signatures_by_key()[algorithm].public_key_bytes


def _signature_bytes(algorithm: str) -> int:
    return signatures_by_key()[algorithm].signature_bytes
