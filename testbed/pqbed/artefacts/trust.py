"""Certificates to trust for downloads besides the system's, for hosts behind a proxy that opens TLS."""

from pathlib import Path

from pqbed.artefacts.cache import building, hash_inputs
from pqbed.errors import HostError
from pqbed.user_folders import cache_home

SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def trusted_bundle(ca_bundle: Path | None) -> Path | None:
    """Return one PEM file with the system's certificates and those of `ca_bundle`; None leaves trust as it is."""
    if ca_bundle is None:
        return None
    try:
        added = ca_bundle.read_bytes()
    except OSError as error:
        raise HostError(f"cannot read the certificates in {ca_bundle}: {error.strerror}") from error
    if b"-----BEGIN CERTIFICATE-----" not in added:
        raise HostError(f"{ca_bundle} holds no certificate in PEM form")
    system = SYSTEM_BUNDLE.read_bytes() if SYSTEM_BUNDLE.is_file() else b""
    entry = cache_home() / "trust" / hash_inputs(system, added)
    with building(entry) as partial:
        if partial is not None:
            (partial / "ca.pem").write_bytes(system + b"\n" + added)
    return entry / "ca.pem"
