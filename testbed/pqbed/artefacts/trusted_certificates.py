"""Trusted certificates for downloads in addition to the system's, for hosts behind a TLS-inspecting proxy."""

from pathlib import Path

from pqbed.artefacts.cache_entries import building, hash_inputs
from pqbed.errors import HostError
from pqbed.user_folders import cache_home

SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def trusted_bundle(ca_bundle: Path | None) -> Path | None:
    """Return one PEM file with the system's certificates and those of `ca_bundle`; None leaves trust as it is."""
    if ca_bundle is None:
        return None
    try:
        bundle = ca_bundle.read_bytes()
    except OSError as error:
        raise HostError(f"--ca-bundle: cannot read {ca_bundle}: {error.strerror}") from error
    if b"-----BEGIN CERTIFICATE-----" not in bundle:
        raise HostError(f"--ca-bundle: {ca_bundle} contains no PEM certificate")
    system = SYSTEM_BUNDLE.read_bytes() if SYSTEM_BUNDLE.is_file() else b""
    entry = cache_home() / "trust" / hash_inputs(system, bundle)
    with building(entry) as partial:
        if partial is not None:
            (partial / "ca.pem").write_bytes(system + b"\n" + bundle)
    return entry / "ca.pem"
