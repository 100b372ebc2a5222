"""Certificate chains, made by the `openssl` of the stack that serves them.

A root that the client trusts signs the last intermediate; the server sends the leaf and the
intermediates. Keys stay in the folder they are made in, which is on a tmpfs of the bed.
"""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pqbed.errors import HostError
from pqbed.spec.profile import Chain
from pqbed.tls.signatures import KEY_KINDS

SERVER_NAME = "server.pqbed.test"
VALID_DAYS = "3650"
OPENSSL_TIMEOUT_S = 120

_AUTHORITY = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
_LEAF = (
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth",
    f"subjectAltName=DNS:{SERVER_NAME}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFiles:
    """Where a chain lies: `sent` holds the leaf and the intermediates, in the order of the wire."""

    sent: Path
    key: Path
    root: Path
    wire_bytes: int


def make_chain(chain: Chain, folder: Path) -> ChainFiles:
    """Make the keys and certificates of `chain` in `folder`, root first. Raises HostError where openssl refuses."""
    folder.mkdir(mode=0o700, parents=True)
    root = folder / "root.pem"
    _certify(chain.algorithm, "pqbed root", _AUTHORITY, root, issuer=None)
    issuer = root
    authorities: list[Path] = []
    for level in range(1, chain.depth):
        certificate = folder / f"intermediate-{level}.pem"
        _certify(chain.algorithm, f"pqbed intermediate {level}", _AUTHORITY, certificate, issuer)
        authorities.insert(0, certificate)
        issuer = certificate
    leaf = folder / "leaf.pem"
    _certify(chain.algorithm, SERVER_NAME, _LEAF, leaf, issuer)
    pems = [path.read_text() for path in (leaf, *authorities)]
    sent = folder / "sent.pem"
    sent.write_text("".join(pems))
    return ChainFiles(sent=sent, key=_key_of(leaf), root=root, wire_bytes=certificate_message_bytes(pems))


def certificate_message_bytes(pems: list[str]) -> int:
    """Return the size of the TLS 1.3 Certificate message that carries `pems`, without extensions (RFC 8446 4.4.2).

    4 bytes of handshake header, 1 of context length, 3 of list length; 3 of length and 2 of extensions a certificate.
    """
    return 8 + sum(len(ssl.PEM_cert_to_DER_cert(pem)) + 5 for pem in pems)


def _key_of(certificate: Path) -> Path:
    return certificate.with_suffix(".key")


def _certify(algorithm: str, name: str, extensions: tuple[str, ...], certificate: Path, issuer: Path | None) -> None:
    command = ["openssl", "req", "-x509", "-batch", "-noenc", "-sha256", "-days", VALID_DAYS, "-subj", f"/CN={name}"]
    command += ["-newkey", *KEY_KINDS[algorithm].newkey, "-keyout", str(_key_of(certificate))]
    command += ["-out", str(certificate)]
    if issuer is not None:
        command += ["-CA", str(issuer), "-CAkey", str(_key_of(issuer))]
    for extension in extensions:
        command += ["-addext", extension]
    done = subprocess.run(command, capture_output=True, text=True, timeout=OPENSSL_TIMEOUT_S, check=False)
    if done.returncode:
        raise HostError(f"openssl cannot make a {algorithm} certificate: {done.stderr.strip()[-300:]}")
