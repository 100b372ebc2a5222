"""Runner of fetches over a lane's server, link and client: planned fetches in, timings out. The same for every bed."""

import functools
import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from pqbed.agent.cross_traffic import CrossTrafficEnd
from pqbed.agent.lane_part_interfaces import Client, Server
from pqbed.agent.network_path import NetworkPath
from pqbed.errors import HostError
from pqbed.fetch.fetch_outcome import failed_before
from pqbed.fetch.fetch_request import FetchRequest
from pqbed.net.link_state import LinkState
from pqbed.spec.cell import Cell
from pqbed.spec.connection import TICKET_KINDS, Connection, ConnectionKind
from pqbed.spec.cross_traffic import Way
from pqbed.spec.link import DEFAULT_LAYOUT, Layout, Link
from pqbed.spec.link_sides import rate_of
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.stacks import stack_named
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from pqbed.tls.certificate_chains import SERVER_NAME
from pqbed.tls.served_profile import ServedProfile
from pqbed.tls.stack_support import refuse_unknown_names
from pqbed.tls.wire_sizes import PROBE_BYTES, LearnedSizes
from pqbed.units import NS_PER_S

# At most this rate, segments of a downlink come farther apart than a client takes to read one (dd-009, dd-035).
_PACED_BPS = 10**9


class FetchRunner:
    """Runs fetches. `settle` is called before each fetch, while the link is quiet.

    `path_of` returns the path of a layout, ready for use; only the last one it returned is in use.
    """

    def __init__(
        self,
        *,
        path_of: Callable[[Layout], NetworkPath],
        server: Server,
        client: Client,
        timeout_ns: int,
        settle: Callable[[], None] = lambda: None,
        traffic: tuple[CrossTrafficEnd, CrossTrafficEnd] | None = None,
    ) -> None:
        self._path_of = path_of
        self._path: NetworkPath | None = None
        self._server = server
        self._client = client
        self._timeout_ns = timeout_ns
        self._settle = settle
        self._traffic = traffic
        self._served: dict[Profile, ServedProfile] = {}
        self._refused: dict[Profile, str] = {}
        self._offered: set[int] = set()
        # A fetch of a cell like the one before reads no descriptions of stacks again.
        self._refusal = functools.cache(_refuse_workload)

    def start(self, profiles: Sequence[Profile]) -> tuple[ServedProfile, ...]:
        """Start the server with `profiles`; profiles that either side does not support give `unsupported` samples.

        Raises SpecError for one with a name that nobody knows.
        """
        self._refused = self._find_refusals(profiles)
        if self._refused:
            refuse_unknown_names(self._refused, (*self._server.listed(), *self._client.listed()))
        served = self._server.start([profile for profile in profiles if profile not in self._refused])
        self._served = {served_profile.profile: served_profile for served_profile in served}
        if any(served_profile.profile.mutual for served_profile in served):
            self._client.take_credentials(self._server.credentials())
        return served

    def _find_refusals(self, profiles: Sequence[Profile]) -> dict[Profile, str]:
        server, client = self._server.refusals(profiles), self._client.refusals(profiles)
        refusals = {}
        for profile in profiles:
            if profile.name in server:
                refusals[profile] = f"not supported by the server {profile.stack}: {server[profile.name]}"
            elif profile.name in client:
                refusals[profile] = f"not supported by the client {profile.clients_stack}: {client[profile.name]}"
        return refusals

    def learn_sizes(self, kinds: tuple[ConnectionKind, ...]) -> LearnedSizes:
        """Fetch once with every served profile and kind of connection, and return what it takes on the wire.

        Before the first fetch: over a link without shaping that takes no time.
        """
        self._offer(PROBE_BYTES)
        address = self.select_path(DEFAULT_LAYOUT).address
        sizes: LearnedSizes = {}
        for (profile, served), kind in itertools.product(self._served.items(), kinds):
            workload = Workload(size_bytes=PROBE_BYTES, connection=Connection(kind=kind))
            cell = Cell(link=Link(rtt_ns=0), tcp=Tcp(), profile=profile, workload=workload)
            if _refuse_workload(cell):
                continue
            known = sizes.setdefault(profile.name, {})
            header_bytes = known["full"].response_header_bytes if "full" in known else None
            learned = self._client.learn_sizes(self._request(cell, served, address), header_bytes)
            if learned is not None:
                known[kind] = learned
        return sizes

    def set_link(self, link: Link, tcp: Tcp, seed: int) -> LinkState:
        """Set both ends and the stages between them, and read them back."""
        return self.select_path(link.layout).shape(link, tcp, seed)

    def read_link(self) -> LinkState:
        """Read both ends and the stages between them without changing them."""
        return (self._path or self.select_path(DEFAULT_LAYOUT)).read()

    def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
        """Do `fetches` in order and yield each with its timings."""
        for fetch in fetches:
            yield fetch, self.sample(cells[fetch.cell_id], fetch.seed)

    def select_path(self, layout: Layout) -> NetworkPath:
        """Return the path of `layout` and use it from now on."""
        self._path = self._path_of(layout)
        return self._path

    def sample(
        self,
        cell: Cell,
        seed: int,
        before_quiet: Callable[[], None] = lambda: None,
        after_priming: Callable[[], None] = lambda: None,
    ) -> Timings:
        """Do one fetch. `before_quiet` is called when it is done, before the link is taken away.

        What gets the ticket of a resumed one comes first, over the link without shaping; `after_priming` comes then.
        """
        served = self._served.get(cell.profile)
        if served is None:
            return Timings(outcome="unsupported", detail=self._refused.get(cell.profile, "not served in this lane"))
        if refusal := self._refusal(cell):
            return Timings(outcome="unsupported", detail=refusal)
        self._offer(cell.workload.size_bytes)
        try:
            path = self.select_path(cell.link.layout)
            request = self._request(cell, served, path.address)
            if failure := self._prime(request):
                return failure
            after_priming()
            self._settle()
            path.shape(cell.link, cell.tcp, seed)
            self._start_traffic(cell.link, path)
            timings = self._client.fetch(request)
            before_quiet()
            if cell.tcp.ecn:
                timings = replace(timings, ecn_marks=path.marked())
            if timings.group is not None:
                timings = replace(timings, provider=served.provider, signature_provider=served.signature_provider)
            timings = self._examine(timings)
        except HostError as error:
            timings = Timings(outcome="link_mismatch", detail=error.message)
        finally:
            dropped = self.quiet()
            missing = self._stop_traffic(cell.link)
        if missing and timings.outcome != "link_mismatch":
            return Timings(outcome="link_mismatch", detail=missing)
        return timings if dropped is None else replace(timings, queue_drops=dropped)

    def _start_traffic(self, link: Link, path: NetworkPath) -> None:
        """Start what shares the link with a fetch, and let it warm up."""
        if link.cross_traffic is None or self._traffic is None:
            return
        client, server = self._traffic
        client.receive(path.client_address)
        server.receive(path.address)
        server.send(path.client_address, link.cross_traffic.towards("down"))
        client.send(path.address, link.cross_traffic.towards("up"))
        time.sleep(link.cross_traffic.warm_up_ns / NS_PER_S)

    def _stop_traffic(self, link: Link) -> str:
        """End it once the link is quiet; return which direction of it did not arrive, empty if all did."""
        if link.cross_traffic is None or self._traffic is None:
            return ""
        client, server = self._traffic
        received: dict[Way, int] = {"down": client.stop(), "up": server.stop()}
        missing = [way for way, count in received.items() if link.cross_traffic.towards(way) and not count]
        return f"no cross traffic arrived {' and '.join(missing)}" if missing else ""

    def _prime(self, request: FetchRequest) -> Timings | None:
        """Get a ticket if the fetch needs one; return the sample of a fetch that cannot have one."""
        if request.connection.kind not in TICKET_KINDS:
            return None
        primed = self._examine(self._client.prime(request))
        if primed.outcome == "server_down":
            return primed
        return None if primed.outcome == "ok" else failed_before(primed, "fetch that gets a ticket")

    def _request(self, cell: Cell, served: ServedProfile, address: str) -> FetchRequest:
        return FetchRequest(
            address=address,
            port=served.port_for(cell.workload.connection.kind),
            server_name=SERVER_NAME,
            size_bytes=cell.workload.size_bytes,
            http=cell.workload.http,
            connection=cell.workload.connection,
            group=cell.profile.group,
            groups=cell.profile.offered,
            shares=cell.profile.key_shares,
            # libcurl resumes no session whose response it had to verify.
            staple=cell.profile.chain.ocsp and cell.workload.connection.kind not in TICKET_KINDS,
            alpn=cell.profile.alpn,
            fast_open=cell.tcp.fast_open,
            signature=served.signature,
            root_pem=served.root_pem,
            timeout_ns=self._timeout_ns,
            paced=(rate_of(cell.link, "server") or math.inf) <= _PACED_BPS,
            credentials=cell.profile.name if cell.profile.mutual else "",
            stack=cell.profile.clients_stack,
            group_id=served.group_id,
        )

    def _examine(self, timings: Timings) -> Timings:
        """Blame the server for a connection that failed because it had died, and restart it."""
        if timings.outcome not in ("refused", "reset", "timeout") or self._server.alive():
            return timings
        self._server.restart()
        return Timings(outcome="server_down", detail=timings.detail, tcp_connect_ns=timings.tcp_connect_ns)

    def quiet(self) -> int | None:
        """Take the link away and close the connection over the unshaped wire, so that nothing of it is left.

        Return how many packets its queues dropped, None if unknown.
        """
        dropped = None if self._path is None else self._path.quiet()
        self._client.release()
        return dropped

    def _offer(self, size_bytes: int) -> None:
        if size_bytes not in self._offered:
            self._server.offer(size_bytes)
            self._offered.add(size_bytes)


def _refuse_workload(cell: Cell) -> str:
    """Return which end cannot do the kind of connection or the HTTP that `cell` asks for; empty where both can."""
    kind, http = cell.workload.connection.kind, cell.workload.http
    for side, name in (("server", cell.profile.stack), ("client", cell.profile.clients_stack)):
        stack = stack_named(name)
        if kind not in stack.connections:
            return f"not supported by the {side} {name}: {kind} connections"
        if http not in stack.http:
            return f"not supported by the {side} {name}: HTTP/{http}"
    if kind == "early" and cell.profile.retries:
        return "there are no early data with a HelloRetryRequest: the server asks for another hello (RFC 8446, 4.2.10)"
    if http == "3":
        return _refuse_unproved(cell)
    return _refuse_fast_open(cell)


def _refuse_fast_open(cell: Cell) -> str:
    """Return that the client cannot put data into a SYN if it is asked to; else empty."""
    client = cell.profile.clients_stack
    if cell.tcp.fast_open and "fast_open" not in stack_named(client).extensions:
        return f"not supported by the client {client}: TCP Fast Open"
    return ""


def _refuse_unproved(cell: Cell) -> str:
    """Return what no client says of a handshake over QUIC, so that a sample could not be believed; else empty."""
    if cell.tcp.fast_open:
        return "there is no SYN over QUIC that could carry data"
    if cell.workload.connection.kind in TICKET_KINDS:
        return f"libcurl does not say of a connection over QUIC whether it was {cell.workload.connection.kind}"
    if len(cell.profile.offered) > 1:
        return "libcurl does not say of a handshake over QUIC whether there was a HelloRetryRequest"
    return ""
