"""Endpoint of the container engine, as the Docker CLI finds it: DOCKER_HOST, DOCKER_CONTEXT, `docker context use`.

The order is that of docker/cli (resolveContextName): DOCKER_HOST goes before DOCKER_CONTEXT, and that before the
configuration's currentContext. Contexts are read from the CLI's own files, contexts/meta/<sha256 of the name>/meta.json
and contexts/tls/<the same>/docker/; the CLI itself need not be installed.
"""

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pqbed.errors import EngineError

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
DEFAULT_CONTEXT = "default"
CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerEndpoint:
    """`host` as in DOCKER_HOST. `tls_folder` has ca.pem, cert.pem and key.pem ("": no TLS).

    Without `tls_verify` the server's certificate is not checked, as the configuration of this endpoint says.
    """

    host: str
    tls_folder: str = ""
    tls_verify: bool = True

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make the Docker CLI use this endpoint."""
        tls = {"DOCKER_CERT_PATH": self.tls_folder, "DOCKER_TLS_VERIFY" if self.tls_verify else "DOCKER_TLS": "1"}
        return {"DOCKER_HOST": self.host, **(tls if self.tls_folder else {})}

    def tls_config(self) -> Any:
        """Return the TLS settings as the SDK takes them; False without TLS. Raises EngineError for missing files."""
        if not self.tls_folder:
            return False
        from docker.tls import TLSConfig  # noqa: PLC0415 - the SDK takes a third of a second to load

        paths = [Path(self.tls_folder, name) for name in CERTIFICATES]
        missing = [path.name for path in paths if not path.exists()]
        if missing:
            raise EngineError(
                f"certificates for {self.host} are missing: {', '.join(missing)}",
                hint=f"{self.tls_folder} must hold {', '.join(CERTIFICATES)} (DOCKER_CERT_PATH, or the context's)",
            )
        authority, certificate, key = map(str, paths)
        return TLSConfig(client_cert=(certificate, key), ca_cert=authority, verify=self.tls_verify)


def docker_endpoint(environment: Mapping[str, str] = os.environ) -> DockerEndpoint:
    """Return the endpoint that the Docker CLI would use. Raises EngineError for a context that does not exist."""
    host = environment.get("DOCKER_HOST")
    if host:
        return _named_host(host, environment)
    folder = Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker")
    name = environment.get("DOCKER_CONTEXT") or _current_context(folder) or DEFAULT_CONTEXT
    if name != DEFAULT_CONTEXT:
        return _context_endpoint(folder, name)
    return _named_host(DEFAULT_SOCKET, environment)


def absent_socket(host: str) -> str:
    """Return the error of a missing socket; "" if it exists, or if `host` is not a Unix socket."""
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():
        return os.strerror(errno.ENOENT)
    return ""


def _named_host(host: str, environment: Mapping[str, str]) -> DockerEndpoint:
    """As the CLI does: any value of DOCKER_TLS_VERIFY turns TLS and the check on, of DOCKER_TLS only TLS."""
    verify = bool(environment.get("DOCKER_TLS_VERIFY"))
    if host.startswith(("unix://", "ssh://")) or not (verify or environment.get("DOCKER_TLS")):
        return DockerEndpoint(host=host)
    configuration = environment.get("DOCKER_CONFIG") or Path.home() / ".docker"
    folder = environment.get("DOCKER_CERT_PATH") or str(configuration)
    return DockerEndpoint(host=host, tls_folder=folder, tls_verify=verify)


def _current_context(folder: Path) -> str:
    with suppress(OSError, ValueError, AttributeError):
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("currentContext") or "")
    return ""


def _context_endpoint(folder: Path, name: str) -> DockerEndpoint:
    digest = hashlib.sha256(name.encode()).hexdigest()
    try:
        meta = json.loads((folder / "contexts" / "meta" / digest / "meta.json").read_text(encoding="utf-8"))
        endpoint = meta["Endpoints"]["docker"]
        host, verify = str(endpoint["Host"]), not endpoint.get("SkipTLSVerify", False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineError(
            f"there is no Docker context {name!r} in {folder}",
            hint="`docker context ls` lists those that exist; unset DOCKER_CONTEXT or `docker context use default`",
        ) from error
    tls = folder / "contexts" / "tls" / digest / "docker"
    return DockerEndpoint(host=host, tls_folder=str(tls) if tls.is_dir() else "", tls_verify=verify)
