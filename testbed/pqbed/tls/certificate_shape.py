"""The shape of a chain in PEM: keys, signatures, sizes and SCTs of its certificates, as a `Chain` of the same sizes."""

import binascii
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pqbed.errors import SpecError
from pqbed.spec.profile import LONGEST_CHAIN, SCT_BYTES, Chain, ChainCertificate
from pqbed.tls.certificate_keys import KEY_KINDS
from pqbed.tls.der import OBJECT_IDENTIFIER, Value, read_oid, walk
from pqbed.tls.published_algorithms import signatures_by_key
from pqbed.tls.sct_extension import SCT_LIST_OID

MOST_PEM_BYTES = 1 << 20
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_RSA, _EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
_RSA_SIGNATURES, _ECDSA_SIGNATURES = "1.2.840.113549.1.1.", "1.2.840.10045.4.3."
# RFC 5480 2.1.1.1, RFC 8410 3, RFC 9881 2.
_NAMES = {
    "1.2.840.10045.3.1.7": "p256",
    "1.3.132.0.34": "p384",
    "1.3.132.0.35": "p521",
    "1.3.101.112": "ed25519",
    "1.3.101.113": "ed448",
    **{f"2.16.840.1.101.3.4.3.{17 + number}": name for number, name in enumerate(("mldsa44", "mldsa65", "mldsa87"))},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateShape:
    """`algorithm` is that of the key, `issuer` that of the key which signed it; `scts` the size of each SCT."""

    algorithm: str
    issuer: str
    der_bytes: int
    scts: tuple[int, ...]
    self_signed: bool


def read_shapes(path: Path) -> tuple[CertificateShape, ...]:
    """Return the certificates of a PEM file in its order. Raises SpecError."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_PEM_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}", "name a file with a chain in PEM") from error
    pems = _PEM.findall(text)
    if not 1 <= len(pems) <= LONGEST_CHAIN:
        raise SpecError(
            f"{path} holds {len(pems)} certificates in PEM",
            f"give it 1 to {LONGEST_CHAIN}, the leaf first: openssl s_client -showcerts prints those of a server",
        )
    return tuple(_read(pem, f"certificate {number} of {path}") for number, pem in enumerate(pems, start=1))


def chain_of(shapes: Sequence[CertificateShape]) -> Chain:
    """Return a chain whose certificates have these keys, signatures, sizes and SCTs."""
    scts = shapes[0].scts
    return Chain(
        certificate=tuple(ChainCertificate(algorithm=one.algorithm, der_bytes=one.der_bytes) for one in shapes),
        root=shapes[-1].issuer,
        scts=len(scts),
        sct_bytes=-(-sum(scts) // len(scts)) if scts else SCT_BYTES,
    )


def _read(pem: str, words: str) -> CertificateShape:
    try:
        der = ssl.PEM_cert_to_DER_cert(pem)
        shape = _shape(der)
    except (ValueError, IndexError, StopIteration, binascii.Error) as error:
        raise SpecError(f"{words} is no X.509 certificate", "take it from the server again") from error
    for algorithm in (shape.algorithm, shape.issuer):
        if algorithm not in KEY_KINDS:
            raise SpecError(f"{words} has a key or a signature of {algorithm}", f"pqbed knows {', '.join(KEY_KINDS)}")
    return shape


def _shape(der: bytes) -> CertificateShape:
    (certificate,) = walk(der)
    to_be_signed, signature_algorithm, signature = walk(certificate.content)
    fields = [value for value in walk(to_be_signed.content) if value.tag != _VERSION]
    _serial, _signature, issuer, _validity, subject, key = fields[:6]
    return CertificateShape(
        algorithm=_key_name(key),
        issuer=_signer_name(read_oid(next(walk(signature_algorithm.content)).content), len(signature.content) - 1),
        der_bytes=len(der),
        scts=tuple(_scts(fields)),
        self_signed=issuer.content == subject.content,
    )


def _key_name(key: Value) -> str:
    algorithm, bits = walk(key.content)
    oid, *parameters = walk(algorithm.content)
    name = read_oid(oid.content)
    if name == _RSA:
        (numbers,) = walk(bits.content[1:])  # past the count of unused bits
        modulus = next(walk(numbers.content))
        return f"rsa{int.from_bytes(modulus.content).bit_length()}"
    if name == _EC and parameters and parameters[0].tag == OBJECT_IDENTIFIER:
        name = read_oid(parameters[0].content)
    return _NAMES.get(name, name)


def _signer_name(oid: str, signature_bytes: int) -> str:
    """Return the algorithm of the key that made a signature: its size says that of the key."""
    if oid.startswith(_RSA_SIGNATURES):
        return f"rsa{8 * signature_bytes}"
    if oid.startswith(_ECDSA_SIGNATURES):
        curves = ("p256", "p384", "p521")
        return next(key for key in curves if signature_bytes <= signatures_by_key()[key].signature_bytes)
    return _NAMES.get(oid, oid)


def _scts(fields: Sequence[Value]) -> list[int]:
    """Return the sizes of the embedded SCTs: a list of 2 bytes of length, then 2 more before each (RFC 6962 3.3)."""
    for outer in (value for value in fields if value.tag == _EXTENSIONS):
        (extensions,) = walk(outer.content)
        for extension in walk(extensions.content):
            oid, *_critical, content = walk(extension.content)
            if read_oid(oid.content) == SCT_LIST_OID:
                (octets,) = walk(content.content)
                return list(_entry_sizes(octets.content[2:]))
    return []


def _entry_sizes(entries: bytes) -> list[int]:
    sizes = []
    while entries:
        size = int.from_bytes(entries[:2])
        sizes.append(size)
        entries = entries[2 + size :]
    return sizes
