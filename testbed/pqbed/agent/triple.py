"""Client, link and server together: planned fetches in, timings out. The same code for every bed."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from pqbed.agent.parts import Client, End, Server
from pqbed.errors import HostError
from pqbed.fetch.request import FetchRequest
from pqbed.net.shape import shape_end
from pqbed.net.state import LinkState
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.tcp import Tcp
from pqbed.tls.chains import SERVER_NAME
from pqbed.tls.served import Served


class Triple:
    """Runs fetches over its parts. `settle` is called before each fetch, with the link quiet."""

    def __init__(
        self,
        *,
        client_end: End,
        server_end: End,
        server: Server,
        client: Client,
        address: str,
        timeout_ns: int,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self._client_end = client_end
        self._server_end = server_end
        self._server = server
        self._client = client
        self._address = address
        self._timeout_ns = timeout_ns
        self._settle = settle
        self._served: dict[Profile, Served] = {}
        self._refused: dict[Profile, str] = {}
        self._offered: set[int] = set()

    def start(self, profiles: Sequence[Profile]) -> tuple[Served, ...]:
        """Start the server with `profiles`; those that either side cannot speak give `unsupported` samples."""
        self._refused = self._find_refusals(profiles)
        served = self._server.start([profile for profile in profiles if profile not in self._refused])
        self._served = {one.profile: one for one in served}
        if any(one.profile.mutual for one in served):
            self._client.take_credentials(self._server.credentials())
        return served

    def _find_refusals(self, profiles: Sequence[Profile]) -> dict[Profile, str]:
        server, client = self._server.refusals(profiles), self._client.refusals(profiles)
        found = {}
        for profile in profiles:
            if profile.name in server:
                found[profile] = f"not supported by the server {profile.stack}: {server[profile.name]}"
            elif profile.name in client:
                found[profile] = f"not supported by the client {profile.clients_stack}: {client[profile.name]}"
        return found

    def set_link(self, link: Link, tcp: Tcp, seed: int) -> LinkState:
        """Set both ends and read them back."""
        client = self._client_end.shape(shape_end(link, tcp, "client", seed))
        server = self._server_end.shape(shape_end(link, tcp, "server", seed))
        return LinkState(client=client, server=server)

    def read_link(self) -> LinkState:
        """Read both ends as they are."""
        return LinkState(client=self._client_end.read(), server=self._server_end.read())

    def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
        """Do `fetches` in order and yield each with what it gave."""
        for fetch in fetches:
            yield fetch, self._sample(cells[fetch.cell_id], fetch.seed)

    def _sample(self, cell: Cell, seed: int) -> Timings:
        served = self._served.get(cell.profile)
        if served is None:
            return Timings(outcome="unsupported", detail=self._refused.get(cell.profile, "not served in this lane"))
        self._offer(cell.workload.size_bytes)
        try:
            self._settle()
            self.set_link(cell.link, cell.tcp, seed)
            timings = self._client.fetch(self._request(cell, served))
            return self._examine(timings)
        except HostError as error:
            return Timings(outcome="link_mismatch", detail=error.message)
        finally:
            self._quiet()

    def _request(self, cell: Cell, served: Served) -> FetchRequest:
        return FetchRequest(
            address=self._address,
            port=served.port,
            server_name=SERVER_NAME,
            size_bytes=cell.workload.size_bytes,
            group=cell.profile.group,
            signature=served.signature,
            root_pem=served.root_pem,
            timeout_ns=self._timeout_ns,
            credentials=cell.profile.name if cell.profile.mutual else "",
            stack=cell.profile.clients_stack,
        )

    def _examine(self, timings: Timings) -> Timings:
        """A connection refused or reset by a dead server is the server's failure: say so, and start it again."""
        if timings.outcome not in ("refused", "reset", "timeout") or self._server.alive():
            return timings
        self._server.restart()
        return Timings(outcome="server_down", detail=timings.detail, tcp_connect_ns=timings.tcp_connect_ns)

    def _quiet(self) -> None:
        """Take the link away and close the connection over the bare wire, so that nothing of it is left."""
        self._client_end.quiet()
        self._server_end.quiet()
        self._client.release()

    def _offer(self, size_bytes: int) -> None:
        if size_bytes not in self._offered:
            self._server.offer(size_bytes)
            self._offered.add(size_bytes)
