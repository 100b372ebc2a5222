"""The three parts of a lane, wherever they run: in this process, or behind a channel."""

from collections.abc import Sequence
from typing import Protocol

from pqbed.fetch.request import FetchRequest
from pqbed.net.shape import EndShape
from pqbed.net.state import EndState
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Timings
from pqbed.tls.credentials import Credentials
from pqbed.tls.served import Served
from pqbed.tls.server import FIRST_PORT
from pqbed.tls.support import Support


class End(Protocol):
    """One end of the link."""

    def shape(self, shape: EndShape) -> EndState:
        """Set everything anew, read it back; raise HostError where the kernel took something else."""
        ...

    def read(self) -> EndState:
        """Read the end as it is."""
        ...

    def quiet(self) -> None:
        """Drop every packet on the wire and let those that follow pass untouched, until the next `shape`."""
        ...

    def drain(self) -> int:
        """Do the same, and return how many packets were dropped before."""
        ...


class Server(Protocol):
    """The TLS server of one stack, or those of several as one (stacks.py)."""

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        """Return why profiles cannot be served, by their names."""
        ...

    def start(self, profiles: Sequence[Profile], first_port: int = FIRST_PORT) -> tuple[Served, ...]:
        """Serve `profiles`, each on a port of its own."""
        ...

    def credentials(self) -> tuple[Credentials, ...]:
        """Return what the clients of mutual profiles prove themselves with."""
        ...

    def offer(self, size_bytes: int) -> None:
        """Make a body of this size available."""
        ...

    def alive(self) -> bool:
        """Tell whether the server runs."""
        ...

    def restart(self) -> None:
        """Start it again."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class Client(Protocol):
    """The TLS client of one stack, or those of several as one (stacks.py)."""

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        """Return why profiles cannot be fetched with, by their names."""
        ...

    def take_credentials(self, credentials: Sequence[Credentials]) -> None:
        """Keep what requests name."""
        ...

    def fetch(self, request: FetchRequest) -> Timings:
        """Do one fetch; a failure is a result."""
        ...

    def release(self) -> None:
        """Close the connection of the last fetch."""
        ...


class StackServer(Server, Protocol):
    """The TLS server of one stack."""

    def support(self) -> Support:
        """Say what the stack offers."""
        ...


class StackClient(Client, Protocol):
    """The TLS client of one stack."""

    def version(self) -> str:
        """Return the client's line of versions."""
        ...
