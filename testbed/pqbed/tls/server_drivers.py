"""Server software: what differs from one to the next, behind one function.

`SERVER_DRIVERS` holds it by the name that a stack's entry gives (`server` in its stack.toml).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pqbed.spec.stacks import Stack
from pqbed.tls.algorithms import published_groups
from pqbed.tls.groups import GROUP_HEADER, canonical_group
from pqbed.tls.listener import Listener
from pqbed.tls.nginx import nginx_configuration
from pqbed.tls.signatures import scheme_codepoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start a server: `ready` is a file that it fills once it listens, `log` tells why it did not."""

    command: tuple[str, ...]
    ready: Path
    log: Path


# Writes what the software needs into a folder (bodies are in its `www`), and says how to start it.
Configure = Callable[[Stack, Path, Sequence[Listener]], Launch]


def configure_nginx(_stack: Stack, folder: Path, listeners: Sequence[Listener]) -> Launch:
    """One nginx with a port a profile."""
    configuration, log = folder / "nginx.conf", folder / "error.log"
    configuration.write_text(nginx_configuration(folder, listeners))
    command = ("nginx", "-p", str(folder), "-e", str(log), "-c", str(configuration))
    return Launch(command=command, ready=folder / "nginx.pid", log=log)


def configure_program(stack: Stack, folder: Path, listeners: Sequence[Listener]) -> Launch:
    """The stack's own program, which reads one JSON object a listener."""
    configuration, ready = folder / "listeners.json", folder / "ready"
    configuration.write_text("".join(json.dumps(_said(listener)) + "\n" for listener in listeners))
    command = (*stack.program, "server", str(configuration), str(ready))
    return Launch(command=command, ready=ready, log=folder / "error.log")


def _said(listener: Listener) -> dict[str, object]:
    return {
        "port": listener.port,
        "chain": str(listener.chain),
        "key": str(listener.key),
        "group_id": published_groups()[canonical_group(listener.group)].codepoint,
        "signature_id": scheme_codepoint(listener.signature),
        "client_root": "" if listener.client_root is None else str(listener.client_root),
        "client_signature_id": scheme_codepoint(listener.client_signature) if listener.client_signature else 0,
        "header": GROUP_HEADER,
    }


SERVER_DRIVERS: Mapping[str, Configure] = MappingProxyType({"nginx": configure_nginx, "program": configure_program})
