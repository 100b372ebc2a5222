"""Stapled OCSP responses (RFC 6960), made by the `openssl` of the stack and signed by the issuer of the leaf."""

from pathlib import Path

from pqbed.spec.profile import Chain
from pqbed.tls.make_certificates import NOT_AFTER, VALID_DAYS, Certificate, serial_of
from pqbed.tls.openssl_command import run_openssl

# The response without its signature: one status, the responder by its name. Seen with OpenSSL 3.5.9.
FRAME_BYTES = 235
# Around it in the extensions of the leaf's entry (RFC 8446 4.4.2.1): type and length, kind of status, length.
AROUND_BYTES = 4 + 1 + 3
# A line of the index that `openssl ca` keeps: valid, until when, not revoked, serial, no file, name.
_INDEX = "V\t{until}\t\t{serial}\tunknown\t/CN={name}\n"


def make_response(leaf: Certificate, path: Path) -> Path:
    """Write the response that `leaf` is good, in DER. Its issuer must be among what is sent. Raises HostError.

    Without certificates of its own: the client knows the responder, which is the issuer itself.
    """
    assert leaf.issuer is not None
    index = path.with_suffix(".index")
    # UTCTime has two digits for the year; openssl refuses serials in lower case.
    serial = serial_of(leaf).removeprefix("0x").upper()
    index.write_text(_INDEX.format(until=NOT_AFTER[2:], serial=serial, name=leaf.name))
    issuer, key = str(leaf.issuer.path), str(leaf.issuer.key)
    arguments = ["ocsp", "-index", str(index), "-CA", issuer, "-rsigner", issuer, "-rkey", key]
    arguments += ["-issuer", issuer, "-cert", str(leaf.path), "-no_nonce", "-resp_no_certs", "-noverify"]
    run_openssl(*arguments, "-ndays", VALID_DAYS, "-respout", str(path))
    return path


def status_bytes(chain: Chain, signature_bytes: int) -> int:
    """Return what a stapled response adds to the Certificate message, its signature of this size included."""
    return AROUND_BYTES + FRAME_BYTES + signature_bytes if chain.ocsp else 0
