"""Endpoint of the container engine: DOCKER_HOST, the Docker CLI's context, or the default socket."""

import errno
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_SOCKET = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerEndpoint:
    """`host` as in DOCKER_HOST; `tls` as the SDK takes it, None without."""

    host: str
    tls: Any = field(default=None, repr=False)


def docker_endpoint() -> DockerEndpoint:
    """Return the endpoint of DOCKER_HOST, else of the Docker CLI's current context, else the default socket.

    As the Docker CLI does: `docker context use` selects Docker Desktop, Colima or a rootless engine. The SDK is loaded
    only if one of the first two is set.
    """
    if os.environ.get("DOCKER_HOST"):
        from docker.utils import kwargs_from_env  # noqa: PLC0415

        named = kwargs_from_env()
        return DockerEndpoint(host=named["base_url"], tls=named.get("tls"))
    return (_context_endpoint() if _context_is_named() else None) or DockerEndpoint(host=DEFAULT_SOCKET)


def absent_socket(host: str) -> str:
    """Return the error of a missing socket; "" if it exists, or if `host` is not a Unix socket."""
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():
        return os.strerror(errno.ENOENT)
    return ""


def _context_is_named() -> bool:
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    with suppress(OSError, ValueError, AttributeError):
        return bool(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("currentContext"))
    return False


def _context_endpoint() -> DockerEndpoint | None:
    import docker  # noqa: PLC0415
    from docker.errors import DockerException  # noqa: PLC0415
    from docker.tls import TLSConfig  # noqa: PLC0415

    with suppress(DockerException, OSError, ValueError, KeyError):
        context = docker.ContextAPI.get_current_context()
        if context is not None and context.Host:
            tls = context.TLSConfig
            return DockerEndpoint(host=context.Host, tls=tls if isinstance(tls, TLSConfig) else None)
    return None
