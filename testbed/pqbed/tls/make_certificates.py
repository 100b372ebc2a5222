"""X.509 certificates with their keys, made by the `openssl` of the stack."""

import functools
import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from pqbed.errors import HostError
from pqbed.tls.certificate_keys import key_kind
from pqbed.tls.openssl_command import run_openssl

# Fixed, so that no jump of a clock makes a certificate invalid: from a date that no clock here was set to, to the last
# year that UTCTime can hold, in 13 bytes each (RFC 5280 4.1.2.5.1).
NOT_BEFORE, NOT_AFTER = "20000101000000Z", "20491231235959Z"
# What an older openssl can do, which cannot make post-quantum certificates either.
VALID_DAYS = "3650"
FIXED_DATES_SINCE = (3, 4)
SERIAL_BYTES = 20  # RFC 5280 4.1.2.2: at most

_AUTHORITY = {"basicConstraints": "critical,CA:TRUE", "keyUsage": "critical,keyCertSign,cRLSign"}
_LEAF = {"basicConstraints": "critical,CA:FALSE", "keyUsage": "critical,digitalSignature"}
# In a file, not in an argument: padding may be longer than an argument can be.
_REQUEST = """\
[req]
distinguished_name = subject
prompt = no
[subject]
CN = {name}
[extensions]
{extensions}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate to make, and where. With `issuer` None it is self-signed."""

    path: Path
    algorithm: str
    name: str
    extensions: dict[str, str]
    issuer: "Certificate | None" = None

    @property
    def key(self) -> Path:
        return self.path.with_suffix(".key")


def authority(path: Path, algorithm: str, name: str, issuer: Certificate | None) -> Certificate:
    """Return a certificate that may sign others."""
    return Certificate(path=path, algorithm=algorithm, name=name, extensions=_AUTHORITY, issuer=issuer)


def leaf(path: Path, algorithm: str, name: str, usage: str, issuer: Certificate) -> Certificate:
    """Return a certificate for the host `name`; `usage` is serverAuth or clientAuth."""
    extensions = {**_LEAF, "extendedKeyUsage": usage, "subjectAltName": f"DNS:{name}"}
    return Certificate(path=path, algorithm=algorithm, name=name, extensions=extensions, issuer=issuer)


def certify(certificate: Certificate, more: dict[str, str] | None = None) -> None:
    """Make the certificate, and its key if there is none yet. Its issuer must exist. Raises HostError.

    `more` are additional extensions. All but the key and the signature is the same each time, and so is the size:
    openssl's own random serial numbers are sometimes a byte shorter.
    """
    extensions = {**certificate.extensions, "subjectKeyIdentifier": "hash", "authorityKeyIdentifier": "keyid:always"}
    lines = "".join(f"{name} = {value}\n" for name, value in {**extensions, **(more or {})}.items())
    request = certificate.path.with_suffix(".cnf")
    request.write_text(_REQUEST.format(name=certificate.name, extensions=lines))
    arguments = ["req", "-x509", "-batch", "-noenc", "-sha256"]
    arguments += ["-config", str(request), "-extensions", "extensions", "-set_serial", serial_of(certificate)]
    arguments += ["-out", str(certificate.path), *_key_arguments(certificate)]
    if certificate.issuer is not None:
        arguments += ["-CA", str(certificate.issuer.path), "-CAkey", str(certificate.issuer.key)]
    try:
        run_openssl(*arguments, *_dates(shutil.which("openssl")))
    except HostError as error:
        raise HostError(f"no {certificate.algorithm} certificate can be made: {error.message}", error.hint) from error


@functools.cache
def _dates(_program: str | None) -> tuple[str, ...]:
    """Return the arguments for the validity, asking the program at this path for its version once."""
    version = re.match(r"OpenSSL (\d+)\.(\d+)", run_openssl("version"))
    if version is not None and tuple(map(int, version.groups())) >= FIXED_DATES_SINCE:
        return ("-not_before", NOT_BEFORE, "-not_after", NOT_AFTER)
    return ("-days", VALID_DAYS)


def _key_arguments(certificate: Certificate) -> list[str]:
    if certificate.key.exists():
        return ["-key", str(certificate.key)]
    return ["-newkey", *key_kind(certificate.algorithm).newkey, "-keyout", str(certificate.key)]


def serial_of(certificate: Certificate) -> str:
    """Return its serial number, in hexadecimal after 0x."""
    digest = hashlib.sha256(certificate.name.encode()).digest()[:SERIAL_BYTES]
    # Positive and without leading zeros, so that all 20 bytes are encoded.
    return "0x" + bytes([digest[0] & 0x3F | 0x40, *digest[1:]]).hex()
