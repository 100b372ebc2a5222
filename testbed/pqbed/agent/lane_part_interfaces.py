"""Interfaces of a lane's parts: ends of the link, TLS server, TLS client, mirrors and taps.

Each has implementations in this process and, over RPC, in another one (rpc_proxies.py): these classes are the only
definition of the calls. Annotations are read at run time.
"""

from collections.abc import Sequence
from typing import Protocol

from pqbed.agent.rpc_methods import secret
from pqbed.fetch.fetch_request import FetchRequest
from pqbed.net.link_state import EndState
from pqbed.net.packet_ring_capture import Room
from pqbed.spec.link_end_shape import EndShape
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Timings
from pqbed.tls.client_credentials import Credentials
from pqbed.tls.served_profile import FIRST_PORT, ServedProfile
from pqbed.tls.stack_support import Support
from pqbed.tls.wire_sizes import WireSizes


class End(Protocol):
    """One end of the link, or a stage between the ends: an interface that shapes what it sends."""

    def shape(self, shape: EndShape) -> EndState:
        """Set everything and read it back. Raises HostError if the kernel applied something else."""
        ...

    def read(self) -> EndState:
        """Read the settings without changing them."""
        ...

    def quiet(self) -> None:
        """Drop every packet on the wire and let later ones pass unshaped, until the next `shape`."""
        ...

    def drain(self) -> int:
        """Do the same, and return how many packets had been dropped before."""
        ...

    def marked(self) -> int:
        """Return how many packets its queue has marked since it was set (ECN)."""
        ...

    def queue(self) -> tuple[int, int]:
        """Return the packets that wait in its qdisc, or are on its wire, and their bytes."""
        ...


class EndService(End, Protocol):
    """An end in a container of its own, and what must be done there besides shaping."""

    def check_netem(self) -> None:
        """Raise HostError, with the fix, if this end's kernel has no netem."""
        ...

    def missing_modules(self) -> tuple[str, ...]:
        """Return the modules that this end's kernel lacks (net/probe_features.py); the end is of no further use."""
        ...

    def set_neighbour(self, address: str, mac: str) -> None:
        """Install a static ARP entry for the far end."""
        ...

    def disable_redirects(self) -> None:
        """Disable ICMP redirects on the interface."""
        ...

    def sysctls(self) -> dict[str, str]:
        """Return the kernel settings of this end's namespace."""
        ...


class Server(Protocol):
    """The TLS server of one stack, or those of several as one (stacks.py)."""

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        """Return why profiles cannot be served, by profile name."""
        ...

    def listed(self) -> tuple[str, ...]:
        """Return the groups and signature algorithms that the stacks list, after `refusals`."""
        ...

    def start(self, profiles: Sequence[Profile], first_port: int = FIRST_PORT) -> tuple[ServedProfile, ...]:
        """Serve `profiles`, each on a port of its own."""
        ...

    @secret
    def credentials(self) -> tuple[Credentials, ...]:
        """Return the credentials of the clients of mutual profiles."""
        ...

    def offer(self, size_bytes: int) -> None:
        """Make a body of this size available."""
        ...

    def alive(self) -> bool:
        """Return whether the server runs."""
        ...

    def restart(self) -> None:
        """Start it again."""
        ...

    def stop(self) -> None:
        """Stop it."""
        ...


class Client(Protocol):
    """The TLS client of one stack, or those of several as one (stacks.py)."""

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        """Return why profiles cannot be fetched with, by profile name."""
        ...

    def listed(self) -> tuple[str, ...]:
        """Return the groups and signature algorithms that the stacks list, after `refusals`."""
        ...

    @secret
    def take_credentials(self, credentials: Sequence[Credentials]) -> None:
        """Keep the credentials that requests name."""
        ...

    def fetch(self, request: FetchRequest) -> Timings:
        """Do one fetch; a failure is a result."""
        ...

    def prime(self, request: FetchRequest) -> Timings:
        """Do the fetch whose ticket the next one, `request`, resumes; a failure is a result."""
        ...

    def learn_sizes(self, request: FetchRequest, header_bytes: int | None) -> WireSizes | None:
        """Do one fetch and count its bytes on the wire; None if it fails.

        `header_bytes` is the size of the header of a full connection's response; None where it is not known yet.
        """
        ...

    def release(self) -> None:
        """Close the connection of the last fetch."""
        ...

    def log_keys(self) -> None:
        """Log the secrets of every connection from now on, until `take_keys`. Only for a trace."""
        ...

    @secret
    def take_keys(self) -> str:
        """Return the secrets in the NSS key log format, forget them, and stop logging."""
        ...


class StackServer(Server, Protocol):
    """The TLS server of one stack."""

    def support(self) -> Support:
        """Return the algorithms that the stack offers."""
        ...


class StackClient(Client, Protocol):
    """The TLS client of one stack."""

    def version(self) -> str:
        """Return the client's version line."""
        ...


class Mirror(Protocol):
    """A copy of what an end sends, taken before its link shapes it."""

    def start(self) -> None:
        """Start copying. Raises HostError if the kernel cannot."""
        ...

    def stop(self) -> None:
        """Stop copying. Safe to call if nothing was started."""
        ...


class Tap(Protocol):
    """A capture of what an end sends and receives; its mirror must have been started."""

    def begin(self, room: Room) -> None:
        """Start capturing. Raises HostError if packets may not be captured."""
        ...

    def end(self) -> int:
        """Stop, keep the capture for `pcap`, and return the time on the clock of the frames, ns.

        Raises HostError if `room` was not enough.
        """
        ...

    def pcap(self) -> bytes:
        """Return the capture as a file, once."""
        ...
