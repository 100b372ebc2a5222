"""Servers of several stacks behind one `Server`, and clients behind one `Client`.

Each profile uses the stacks it names. A stack is opened when the first profile needs it.
"""

from collections.abc import Callable, Sequence

from pqbed.agent.lane_part_interfaces import StackClient, StackServer
from pqbed.fetch.fetch_request import FetchRequest
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Timings
from pqbed.tls.client_credentials import Credentials
from pqbed.tls.served_profile import FIRST_PORT, ServedProfile
from pqbed.tls.wire_sizes import WireSizes


class StackServers:
    """A `Server` for profiles of any stacks; `open_server` opens one by name."""

    def __init__(self, open_server: Callable[[str], StackServer]) -> None:
        self._open = open_server
        self._opened: dict[str, StackServer] = {}
        self._serving: dict[str, StackServer] = {}

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        refusals: dict[str, str] = {}
        for stack, part in _by_stack(profiles, lambda profile: profile.stack).items():
            refusals |= self._server(stack).refusals(part)
        return refusals

    def listed(self) -> tuple[str, ...]:
        return tuple(name for server in self._opened.values() for name in server.listed())

    def start(self, profiles: Sequence[Profile], first_port: int = FIRST_PORT) -> tuple[ServedProfile, ...]:
        served: list[ServedProfile] = []
        for stack, part in _by_stack(profiles, lambda profile: profile.stack).items():
            self._serving[stack] = self._server(stack)
            served += self._serving[stack].start(part, first_port + len(served))
        return tuple(served)

    def versions(self) -> dict[str, str]:
        """Return the version of each stack's TLS library."""
        return {name: server.support().version for name, server in self._opened.items()}

    def credentials(self) -> tuple[Credentials, ...]:
        return tuple(credential for server in self._serving.values() for credential in server.credentials())

    def offer(self, size_bytes: int) -> None:
        for server in self._serving.values():
            server.offer(size_bytes)

    def alive(self) -> bool:
        return all(server.alive() for server in self._serving.values())

    def restart(self) -> None:
        for server in self._serving.values():
            if not server.alive():
                server.restart()

    def stop(self) -> None:
        for server in self._opened.values():
            server.stop()

    def _server(self, stack: str) -> StackServer:
        if stack not in self._opened:
            self._opened[stack] = self._open(stack)
        return self._opened[stack]


class StackClients:
    """A `Client` for profiles of any stacks; `open_client` opens one by name."""

    def __init__(self, open_client: Callable[[str], StackClient]) -> None:
        self._open = open_client
        self._opened: dict[str, StackClient] = {}
        self._stack_of: dict[str, str] = {}

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        self._stack_of |= {profile.name: profile.clients_stack for profile in profiles}
        refusals: dict[str, str] = {}
        for stack, part in _by_stack(profiles, lambda profile: profile.clients_stack).items():
            refusals |= self._client(stack).refusals(part)
        return refusals

    def listed(self) -> tuple[str, ...]:
        return tuple(name for client in self._opened.values() for name in client.listed())

    def take_credentials(self, credentials: Sequence[Credentials]) -> None:
        for stack, client in self._opened.items():
            client.take_credentials(
                [credential for credential in credentials if self._stack_of.get(credential.profile) == stack]
            )

    def fetch(self, request: FetchRequest) -> Timings:
        return self._client(request.stack).fetch(request)

    def prime(self, request: FetchRequest) -> Timings:
        return self._client(request.stack).prime(request)

    def learn_sizes(self, request: FetchRequest, header_bytes: int | None) -> WireSizes | None:
        return self._client(request.stack).learn_sizes(request, header_bytes)

    def release(self) -> None:
        for client in self._opened.values():
            client.release()

    def log_keys(self) -> None:
        for client in self._opened.values():
            client.log_keys()

    def take_keys(self) -> str:
        return "".join(client.take_keys() for client in self._opened.values())

    def versions(self) -> dict[str, str]:
        """Return each client's version line, under `client` if there is only one."""
        alone = len(self._opened) == 1
        return {"client" if alone else f"client {name}": client.version() for name, client in self._opened.items()}

    def _client(self, stack: str) -> StackClient:
        if stack not in self._opened:
            self._opened[stack] = self._open(stack)
        return self._opened[stack]


def _by_stack(profiles: Sequence[Profile], stack_of: Callable[[Profile], str]) -> dict[str, list[Profile]]:
    groups: dict[str, list[Profile]] = {}
    for profile in profiles:
        groups.setdefault(stack_of(profile), []).append(profile)
    return groups
