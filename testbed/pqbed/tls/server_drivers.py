"""Server drivers: how to configure and start each kind of server software.

`SERVER_DRIVERS` holds them by the name in a stack's entry (`server` in its stack.toml).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pqbed.spec.stacks import Stack
from pqbed.tls.certificate_keys import scheme_codepoint
from pqbed.tls.group_names import GROUP_HEADER, group_codepoint
from pqbed.tls.listener_settings import Listener
from pqbed.tls.nginx import nginx_configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start a server: it writes the file `ready` once it listens, and errors to the file `log`."""

    command: tuple[str, ...]
    ready: Path
    log: Path


# Writes the configuration into a folder (bodies are in its `www`), and returns how to start the server.
Configure = Callable[[Stack, Path, Sequence[Listener]], Launch]


def configure_nginx(stack: Stack, folder: Path, listeners: Sequence[Listener]) -> Launch:
    """Configure one nginx with a port per profile, the same for UDP and TCP."""
    configuration, log = folder / "nginx.conf", folder / "error.log"
    configuration.write_text(nginx_configuration(folder, listeners, stack.http))
    command = ("nginx", "-p", str(folder), "-e", str(log), "-c", str(configuration))
    return Launch(command=command, ready=folder / "nginx.pid", log=log)


def configure_program(stack: Stack, folder: Path, listeners: Sequence[Listener]) -> Launch:
    """Configure the stack's own program, which reads one JSON object per listener."""
    configuration, ready = folder / "listeners.json", folder / "ready"
    configuration.write_text("".join(json.dumps(_listener_fields(listener)) + "\n" for listener in listeners))
    command = (*stack.program, "server", str(configuration), str(ready))
    return Launch(command=command, ready=ready, log=folder / "error.log")


def _listener_fields(listener: Listener) -> dict[str, object]:
    codepoints = [group_codepoint(name) for name in listener.groups.split(":")]
    return {
        "port": listener.port,
        "chain": str(listener.chain),
        "key": str(listener.key),
        "group_id": codepoints[0],
        "signature_id": scheme_codepoint(listener.signature),
        "client_root": "" if listener.client_root is None else str(listener.client_root),
        "client_signature_id": scheme_codepoint(listener.client_signature) if listener.client_signature else 0,
        "header": GROUP_HEADER,
        # Only where it is asked: programs without tickets and lists read texts and numbers alone.
        **({"tickets": True} if listener.tickets else {}),
        **({"group_ids": codepoints} if len(codepoints) > 1 else {}),
    }


SERVER_DRIVERS: Mapping[str, Configure] = MappingProxyType({"nginx": configure_nginx, "program": configure_program})
