"""Lane of the docker bed: four agents behind channels, driven like every other lane."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress

from pqbed.agent.calibrate_lane_link import calibrate
from pqbed.agent.cross_traffic import CrossTrafficEnd
from pqbed.agent.fetch_runner import FetchRunner
from pqbed.agent.fetch_trace import Traced, Tracer
from pqbed.agent.lane_facts import LaneFacts
from pqbed.agent.lane_part_interfaces import EndService, Mirror, StackClient, StackServer
from pqbed.agent.multi_stack_endpoints import StackClients, StackServers
from pqbed.agent.rpc_client import RpcClient
from pqbed.agent.rpc_proxies import proxy
from pqbed.beds.docker.addresses import slot_addresses
from pqbed.beds.docker.capture_container import open_tap
from pqbed.beds.docker.containers import LaneContainers, add_stack
from pqbed.beds.docker.engine_interface import Engine
from pqbed.beds.docker.labels import LanePart
from pqbed.beds.docker.lane_session import START_TIMEOUT_S, ReadTimeout, agent_command, open_channel
from pqbed.beds.docker.router_stages import DockerPaths, ensure_stages
from pqbed.calibrate.measurement import Calibration
from pqbed.calibrate.prober import Prober
from pqbed.errors import PqbedError
from pqbed.net.link_state import LinkState
from pqbed.spec.cell import Cell
from pqbed.spec.connection import ConnectionKind
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import Stage
from pqbed.spec.link_sides import SIDES
from pqbed.spec.profile import DEFAULT_STACK, Profile
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.stacks import stack_named
from pqbed.spec.tcp import Tcp
from pqbed.tls.wire_sizes import LearnedSizes

# Wall-clock silence before a lane is given up, in addition to the time-out of a fetch.
SILENCE_S = 60.0


class DockerLane:
    """One lane (see `beds.bed.Lane`). Owns the session and everything in `owner`."""

    def __init__(
        self,
        engine: Engine,
        containers: LaneContainers,
        profiles: Sequence[Profile],
        timeout_ns: int,
        owner: ExitStack,
        *,
        images: Mapping[str, str],
        keeps_link: bool = False,
    ) -> None:
        """Start the agents and the servers. `owner` is closed when that fails, and by `close`.

        Each side of a stack runs in its own image of `images`, in the namespace of the lane's server or client.

        A fetch removes the shaping of its link; `keeps_link` restores it at the end if the lane outlives the session.
        """
        self.index = containers.index
        self._keeps_link = keeps_link
        self._last: tuple[Link, Tcp, int] | None = None
        self._owner = owner
        self._engine = engine
        self._containers = containers
        self._ends: dict[LanePart, RpcClient] = {}
        self._read_timeout = ReadTimeout(START_TIMEOUT_S)
        try:
            self._start(engine, containers, images, profiles, timeout_ns)
        except BaseException:
            owner.close()
            raise
        self._read_timeout.seconds = SILENCE_S + timeout_ns / 1e9

    def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
        """Do `fetches` in order (see `beds.bed.Lane`)."""
        for fetch, timings in self._runner.run(cells, fetches):
            cell = cells[fetch.cell_id]
            self._last = (cell.link, cell.tcp, fetch.seed)
            yield fetch, timings

    def learn_sizes(self, kinds: tuple[ConnectionKind, ...]) -> LearnedSizes:
        """Fetch once with every profile and kind of connection (see `beds.bed.Lane`)."""
        return self._runner.learn_sizes(kinds)

    def set_link(self, link: Link, tcp: Tcp, seed: int) -> LinkState:
        """Set both ends and read them back."""
        return self._runner.set_link(link, tcp, seed)

    def read_link(self) -> LinkState:
        """Read both ends."""
        return self._runner.read_link()

    def calibrate(self, link: Link, tcp: Tcp, seed: int) -> Calibration:
        """Measure a link from the containers that shape it."""
        self._last = (link, tcp, seed)
        return calibrate(self._runner, lambda _: self._probers, link=link, tcp=tcp, seed=seed, clock="real")

    def trace(self, cell: Cell, fetch: Fetch) -> Traced:
        """Do one fetch and capture it at both ends, from containers that exist only for this."""
        ends: tuple[LanePart, ...] = ("client-end", "server-end")
        with ExitStack() as owner:
            client_tap, server_tap = (
                open_tap(self._engine, self._containers, side, read_timeout=self._read_timeout, owner=owner)
                for side in SIDES
            )
            tracer = Tracer(
                runner=self._runner,
                mirrors=[proxy(Mirror, self._ends[end]) for end in ends],
                client_tap=client_tap,
                server_tap=server_tap,
                client=self._client,
            )
            traced = tracer.trace(cell, fetch.seed)
        self._last = (cell.link, cell.tcp, fetch.seed)
        return traced

    def close(self) -> None:
        """End the agents; the containers stay unless they were created for this session."""
        last, self._last = self._last, None
        if self._keeps_link and last is not None:
            with suppress(PqbedError):
                self._runner.set_link(*last)
        self._owner.close()

    def _open_end(self, engine: Engine, containers: LaneContainers, part: LanePart) -> EndService:
        self._ends[part] = self._open(engine, containers.parts[part], part, agent_command("end"))
        return proxy(EndService, self._ends[part])

    def _open_stages(self, engine: Engine, containers: LaneContainers) -> dict[Stage, EndService]:
        stages = ensure_stages(engine, containers)
        command = agent_command("end")
        return {
            stage: proxy(EndService, self._open(engine, container, stage, command))
            for stage, container in stages.items()
        }

    def _open_stack(
        self, engine: Engine, containers: LaneContainers, images: Mapping[str, str], part: LanePart, name: str
    ) -> RpcClient:
        stack, container = stack_named(name), containers.parts[part]
        if name != DEFAULT_STACK:
            guest, container = add_stack(engine, containers, part, name, images[name])
            self._owner.callback(engine.remove, guest)
        command = agent_command(part, "--stack", name, environment=stack.environment)
        return self._open(engine, container, f"{part} {name}", command)

    def _open(self, engine: Engine, container: str, what: str, command: Sequence[str]) -> RpcClient:
        name = f"{what} of lane {self.index}"
        return open_channel(engine, container, command, name, read_timeout=self._read_timeout, owner=self._owner)

    def _start(
        self,
        engine: Engine,
        containers: LaneContainers,
        images: Mapping[str, str],
        profiles: Sequence[Profile],
        timeout_ns: int,
    ) -> None:
        addresses = slot_addresses(containers.claim.slot)
        server_end = self._open_end(engine, containers, "server-end")
        client_end = self._open_end(engine, containers, "client-end")
        server_end.check_netem()
        client_end.check_netem()
        self._probers = (proxy(Prober, self._ends["client-end"]), proxy(Prober, self._ends["server-end"]))
        paths = DockerPaths(client_end, server_end, addresses, lambda: self._open_stages(engine, containers))
        server = StackServers(
            lambda name: proxy(StackServer, self._open_stack(engine, containers, images, "server", name))
        )
        client = StackClients(
            lambda name: proxy(StackClient, self._open_stack(engine, containers, images, "client", name))
        )
        self._client = client
        self._runner = FetchRunner(
            path_of=paths,
            server=server,
            client=client,
            timeout_ns=timeout_ns,
            traffic=(
                proxy(CrossTrafficEnd, self._ends["client-end"]),
                proxy(CrossTrafficEnd, self._ends["server-end"]),
            ),
        )
        served = self._runner.start(profiles)
        self.facts = LaneFacts(
            kernel=engine.facts().kernel,
            versions={**client.versions(), **server.versions()},
            sysctls=client_end.sysctls(),
            served=served,
        )
