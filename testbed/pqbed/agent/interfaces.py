"""The three parts of a lane, wherever they run: in this process, or behind a channel."""

from collections.abc import Sequence
from typing import Protocol

from pqbed.fetch.request import FetchRequest
from pqbed.net.capture import Room
from pqbed.net.state import EndState
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Timings
from pqbed.spec.shape import EndShape
from pqbed.tls.credentials import Credentials
from pqbed.tls.served_profile import ServedProfile
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

    def queue(self) -> tuple[int, int]:
        """Return how many packets are in its netem, and their bytes; none without one."""
        ...

    def drain(self) -> int:
        """Do the same, and return how many packets were dropped before."""
        ...


class Server(Protocol):
    """The TLS server of one stack, or those of several as one (stacks.py)."""

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        """Return why profiles cannot be served, by their names."""
        ...

    def start(self, profiles: Sequence[Profile], first_port: int = FIRST_PORT) -> tuple[ServedProfile, ...]:
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

    def log_keys(self) -> None:
        """Keep the secrets of every connection from now on, until `take_keys`. For a trace only."""
        ...

    def take_keys(self) -> str:
        """Return the secrets in the NSS key log format, forget them, and keep no more."""
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


class Mirror(Protocol):
    """Shows what an end sends before its link touches it."""

    def start(self) -> None:
        """Begin. Raises HostError where the kernel cannot."""
        ...

    def stop(self) -> None:
        """End. Safe to call where nothing has begun."""
        ...


class Tap(Protocol):
    """Captures what an end sends and receives; its mirror must have been started."""

    def begin(self, room: Room) -> None:
        """Begin. Raises HostError where packets may not be captured."""
        ...

    def end(self) -> int:
        """End, keep what was captured for `pcap`, and return the time on the clock of the frames, ns.

        Raises HostError where `room` was not enough.
        """
        ...

    def pcap(self) -> bytes:
        """Return what was captured as a file, once."""
        ...
