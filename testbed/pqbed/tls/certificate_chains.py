"""Certificate chains, made by the `openssl` of the stack that serves them.

A root that the other side trusts signs the last intermediate; the leaf and the intermediates are sent. Keys
stay in the folder in which they are made, on a tmpfs of the bed.
"""

import ssl
from dataclasses import dataclass, replace
from pathlib import Path

from pqbed.errors import HostError, SpecError
from pqbed.spec.link_sides import Side
from pqbed.spec.profile import Chain, chain_text
from pqbed.tls.certificate_message import certificate_message_size
from pqbed.tls.certificate_padding import EMPTY_EXTENSION_BYTES, padding_extension, split_padding
from pqbed.tls.make_certificates import Certificate, authority, certify, leaf
from pqbed.tls.ocsp_response import AROUND_BYTES, make_response
from pqbed.tls.sct_extension import sct_extension

SERVER_NAME = "server.pqbed.test"
NAMES: dict[Side, str] = {"server": SERVER_NAME, "client": "client.pqbed.test"}
USAGES: dict[Side, str] = {"server": "serverAuth", "client": "clientAuth"}
# The relative error allowed of the size of a padded chain.
WIRE_TOLERANCE = 0.01
# Attempts to meet it to the byte: ECDSA signatures vary by a few bytes.
PADDING_ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFiles:
    """The files of a chain: `sent` holds the leaf and the intermediates, in the order of the wire.

    `wire_bytes` is the Certificate message, the OCSP response in `staple` included.
    """

    sent: Path
    key: Path
    root: Path
    wire_bytes: int
    staple: Path | None = None


def make_chain(chain: Chain, folder: Path, side: Side = "server") -> ChainFiles:
    """Make the keys and certificates of `chain` in `folder`, root first.

    Raises SpecError if it cannot have the requested size, HostError if openssl fails.
    """
    folder.mkdir(mode=0o700, parents=True)
    certificates = _plan_certificates(chain, folder, side)
    for certificate in certificates:
        certify(certificate)
    wire_order = certificates[:0:-1]
    _pad_each(chain, wire_order)
    if chain.wire_bytes is not None:
        _pad(chain, chain.wire_bytes, wire_order)
    pems = [certificate.path.read_text() for certificate in wire_order]
    sent = folder / "sent.pem"
    sent.write_text("".join(pems))
    staple = make_response(wire_order[0], folder / "leaf.ocsp") if chain.ocsp else None
    stapled_bytes = 0 if staple is None else AROUND_BYTES + staple.stat().st_size
    return ChainFiles(
        sent=sent,
        key=wire_order[0].key,
        root=certificates[0].path,
        wire_bytes=certificate_message_bytes(pems) + stapled_bytes,
        staple=staple,
    )


def certificate_message_bytes(pems: list[str]) -> int:
    """Return the size of the TLS 1.3 Certificate message that carries `pems`."""
    return certificate_message_size(len(ssl.PEM_cert_to_DER_cert(pem)) for pem in pems)


def _plan_certificates(chain: Chain, folder: Path, side: Side) -> list[Certificate]:
    """Return the certificates of a chain from the root down to the leaf."""
    certificates = [authority(folder / "root.pem", chain.issuers[-1], f"pqbed {side} root", None)]
    for level, above in enumerate(reversed(chain.sent[1:]), start=1):
        path, name = folder / f"intermediate-{level}.pem", f"pqbed {side} intermediate {level}"
        certificates.append(authority(path, above.algorithm, name, certificates[-1]))
    plain = leaf(folder / "leaf.pem", chain.algorithm, NAMES[side], USAGES[side], certificates[-1])
    return [*certificates, replace(plain, extensions={**plain.extensions, **sct_extension(chain)})]


def _pad_each(chain: Chain, wire_order: list[Certificate]) -> None:
    """Make the certificates that have a size of their own again, padded to it."""
    for number, (sent, certificate) in enumerate(zip(chain.sent, wire_order, strict=True), start=1):
        if sent.der_bytes is not None:
            _pad_certificate(certificate, sent.der_bytes, f"certificate {number} of {chain_text(chain)}")


def _pad_certificate(certificate: Certificate, wanted_bytes: int, words: str) -> None:
    plain_bytes = _der_bytes(certificate)
    if _near(plain_bytes, wanted_bytes):
        return
    if wanted_bytes < plain_bytes + EMPTY_EXTENSION_BYTES:
        raise SpecError(
            f"der_bytes: {words} cannot be made, since unpadded it has {plain_bytes} bytes",
            f"ask for {plain_bytes + EMPTY_EXTENSION_BYTES} or more, or leave out der_bytes",
        )
    content_bytes = wanted_bytes - plain_bytes - EMPTY_EXTENSION_BYTES
    for _ in range(PADDING_ROUNDS):
        certify(certificate, padding_extension(max(1, content_bytes)))
        off_bytes = wanted_bytes - _der_bytes(certificate)
        if off_bytes == 0:
            return
        content_bytes += off_bytes


def _der_bytes(certificate: Certificate) -> int:
    return len(ssl.PEM_cert_to_DER_cert(certificate.path.read_text()))


def _pad(chain: Chain, wanted_bytes: int, wire_order: list[Certificate]) -> None:
    """Make the certificates again with padding, until their message has `wanted_bytes`."""
    plain_bytes = _message_bytes(wire_order)
    missing_bytes = wanted_bytes - plain_bytes
    if missing_bytes < EMPTY_EXTENSION_BYTES:
        if not _near(plain_bytes, wanted_bytes):
            raise SpecError(
                f"wire_bytes: {chain_text(chain)} cannot be made, since unpadded the chain has {plain_bytes} bytes",
                f"ask for {plain_bytes + EMPTY_EXTENSION_BYTES} or more, or leave out wire_bytes",
            )
        return
    contents = split_padding(missing_bytes, len(wire_order))
    for certificate, content_bytes in zip(wire_order, contents, strict=True):
        certify(certificate, padding_extension(content_bytes))
    leaf_bytes = contents[0]
    for _ in range(PADDING_ROUNDS):
        off_bytes = wanted_bytes - _message_bytes(wire_order)
        if off_bytes == 0:
            return
        leaf_bytes = max(1, leaf_bytes + off_bytes)
        certify(wire_order[0], padding_extension(leaf_bytes))
    actual_bytes = _message_bytes(wire_order)
    if not _near(actual_bytes, wanted_bytes):
        raise HostError(f"openssl padded a chain {chain_text(chain)} to {actual_bytes} bytes")


def _near(actual_bytes: int, wanted_bytes: int) -> bool:
    return abs(actual_bytes - wanted_bytes) <= WIRE_TOLERANCE * wanted_bytes


def _message_bytes(wire_order: list[Certificate]) -> int:
    return certificate_message_bytes([certificate.path.read_text() for certificate in wire_order])
