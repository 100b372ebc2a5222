"""TLS server process of a stack. Chains, ports and bodies are common to all; server_drivers.py has the rest."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from pqbed.errors import HostError
from pqbed.spec.connection import TICKET_KINDS, ConnectionKind
from pqbed.spec.link_sides import Side
from pqbed.spec.profile import Chain, Profile, chain_text
from pqbed.spec.stacks import Stack
from pqbed.tls.certificate_chains import ChainFiles, make_chain
from pqbed.tls.certificate_keys import key_kind
from pqbed.tls.client_credentials import Credentials
from pqbed.tls.listener_settings import Listener
from pqbed.tls.run_program import DAMAGED_HINT
from pqbed.tls.served_profile import FIRST_PORT, ServedProfile
from pqbed.tls.server_drivers import SERVER_DRIVERS, Launch
from pqbed.tls.stack_support import Probed, Support

START_TIMEOUT_S = 20.0

Chains = dict[tuple[Side, Chain], ChainFiles]


class ServerProcess(Probed):
    """Owns the process of a stack's server and the folder (on a tmpfs) of its keys, configuration and bodies."""

    def __init__(self, stack: Stack, folder: Path, enter: Callable[[], None] | None = None) -> None:
        """Keep everything in `folder`; `enter` is called in the child before the server, to enter its namespace."""
        super().__init__(stack)
        self._folder = folder
        self._enter = enter
        self._launch: Launch | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._credentials: tuple[Credentials, ...] = ()

    def start(self, profiles: Sequence[Profile], first_port: int = FIRST_PORT) -> tuple[ServedProfile, ...]:
        """Make the chains and start the server with a port for each of `profiles`, all of which it must support."""
        (self._folder / "www").mkdir(mode=0o755, parents=True, exist_ok=True)
        chains = self._make_chains(profiles)
        support = self.support()
        served = tuple(_serve(profile, first_port + i, chains, support) for i, profile in enumerate(profiles))
        self._credentials = _take_credentials(profiles, chains)
        kinds: list[ConnectionKind] = ["full", *(kind for kind in TICKET_KINDS if kind in self._stack.connections)]
        listeners = [_listener(served_profile, kind, chains) for served_profile in served for kind in kinds]
        self._launch = SERVER_DRIVERS[self._stack.server](self._stack, self._folder, listeners)
        self.restart()
        return served

    def credentials(self) -> tuple[Credentials, ...]:
        """Return what the clients of mutual profiles prove themselves with; for the client, and nobody else."""
        return self._credentials

    def offer(self, size_bytes: int) -> None:
        """Make the body of `size_bytes`, served as `/<size_bytes>`."""
        body = self._folder / "www" / str(size_bytes)
        if not body.exists():
            body.write_bytes(bytes(size_bytes))

    def alive(self) -> bool:
        """Return whether the server runs."""
        return self._process is not None and self._process.poll() is None

    def restart(self) -> None:
        """Start the server, ending the one that runs. Raises HostError when it does not come up."""
        assert self._launch is not None
        self.stop()
        self._launch.ready.unlink(missing_ok=True)
        with self._launch.log.open("ab") as log:
            self._process = self._spawn(self._launch, log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _written(self._launch.ready):
            if self._process.poll() is not None or time.monotonic() > deadline:
                log_text = self._launch.log.read_text(errors="replace").strip()
                raise HostError(f"{self._launch.command[0]} did not start: {log_text[-300:]}")
            time.sleep(0.005)

    def stop(self) -> None:
        """End the server, if it runs."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=START_TIMEOUT_S)
        # A killed master leaves its worker, which would still hold the ports.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _spawn(self, launch: Launch, log: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                launch.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                preexec_fn=self._enter,  # noqa: PLW1509 - one system call; no thread of the agent runs then
                start_new_session=True,
            )
        except OSError as error:
            raise HostError(f"{launch.command[0]} cannot be started: {error.strerror}", DAMAGED_HINT) from error

    def _make_chains(self, profiles: Sequence[Profile]) -> Chains:
        wanted: dict[tuple[Side, Chain], None] = {}
        for profile in profiles:
            wanted["server", profile.chain] = None
            if profile.clients_chain is not None:
                wanted["client", profile.clients_chain] = None
        keys = self._folder / "keys"
        return {
            (side, chain): make_chain(chain, keys / f"{side}-{number}-{chain_text(chain)}", side)
            for number, (side, chain) in enumerate(wanted)
        }


def _written(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _serve(profile: Profile, port: int, chains: Chains, support: Support) -> ServedProfile:
    files = chains["server", profile.chain]
    client_chain = profile.clients_chain
    scheme = key_kind(profile.chain.algorithm).scheme
    return ServedProfile(
        profile=profile,
        port=port,
        root_pem=files.root.read_text(),
        certificate_wire_bytes=files.wire_bytes,
        signature=scheme,
        client_certificate_wire_bytes=None if client_chain is None else chains["client", client_chain].wire_bytes,
        provider=support.provider_of(profile.group),
        group_id=support.codepoint_of(profile.group),
        signature_provider=support.provider_of_scheme(scheme),
    )


def _take_credentials(profiles: Sequence[Profile], chains: Chains) -> tuple[Credentials, ...]:
    """Read the clients' chains and keys, and remove the keys: the server needs none of them."""
    credentials = []
    for profile in profiles:
        if profile.clients_chain is not None:
            files = chains["client", profile.clients_chain]
            chain_pem, key_pem = files.sent.read_text(), files.key.read_text()
            credentials.append(Credentials(profile=profile.name, chain_pem=chain_pem, key_pem=key_pem))
    for (side, _chain), files in chains.items():
        if side == "client":
            files.key.unlink()
    return tuple(credentials)


def _listener(served: ServedProfile, kind: ConnectionKind, chains: Chains) -> Listener:
    files = chains["server", served.profile.chain]
    clients = served.profile.clients_chain
    return Listener(
        port=served.port_for(kind),
        chain=files.sent,
        key=files.key,
        groups=served.profile.server_groups or served.profile.group,
        signature=served.signature,
        client_root=None if clients is None else chains["client", clients].root,
        client_depth=0 if clients is None else clients.depth,
        client_signature="" if clients is None else key_kind(clients.algorithm).scheme,
        staple=files.staple,
        tickets=kind in TICKET_KINDS,
        early_data=kind == "early",
    )
