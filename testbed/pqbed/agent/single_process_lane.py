"""A whole lane in one process: both namespaces, the link, the server and the client.

It runs as the init process of a UML guest, and as the first process of new namespaces in the netns bed.
"""

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pqbed.agent.calibrate_lane_link import calibrate
from pqbed.agent.capture_to_pcap import LocalTap
from pqbed.agent.cross_traffic import LocalCrossTraffic
from pqbed.agent.fetch_runner import FetchRunner
from pqbed.agent.fetch_trace import Traced, TracedFetch, Tracer
from pqbed.agent.lane_facts import LaneFacts
from pqbed.agent.lane_part_interfaces import StackClient, StackServer
from pqbed.agent.multi_stack_endpoints import StackClients, StackServers
from pqbed.agent.network_path import NetworkPath
from pqbed.agent.routed_path import build_routed_path
from pqbed.agent.rpc_client import RpcClient
from pqbed.agent.rpc_proxies import proxy
from pqbed.agent.stack_process import StackProcess
from pqbed.agent.unnamed_namespace import Namespace
from pqbed.calibrate.measurement import Calibration
from pqbed.calibrate.prober import LocalProber, Prober
from pqbed.fetch.client_drivers import DriverClient
from pqbed.net import sysctls
from pqbed.net.addresses import IFNAME
from pqbed.net.egress_mirror import EgressMirror
from pqbed.net.link_state import LinkState
from pqbed.net.router_namespaces import ROUTED_IFNAME
from pqbed.net.shaped_interface import ShapedInterface
from pqbed.net.veth_pair import create_link
from pqbed.spec.cell import Cell
from pqbed.spec.connection import ConnectionKind
from pqbed.spec.link import Layout, Link
from pqbed.spec.link_sides import Side
from pqbed.spec.profile import Profile
from pqbed.spec.run_options import Clock
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.stacks import Stack, stack_named
from pqbed.spec.tcp import Tcp
from pqbed.tls.server_process import ServerProcess
from pqbed.tls.wire_sizes import LearnedSizes
from pqbed.units import NS_PER_S

# The kernel's timer wheel rounds a time-out up, longer ones to coarser steps: 1, 8, 64, 512 or 4096 jiffies
# (kernel/time/timer.c). Fetches that start at the same phase of the coarsest step have the same retransmission times,
# and thus the same losses. The guest's HZ is 1000.
TIMER_PHASE_NS = 4_096_000_000
# The ends' interface, by the layout of the link.
INTERFACES: dict[Layout, str] = {"ends": IFNAME, "router": ROUTED_IFNAME}


class LaneAgent:
    """A `LaneService`. Must be created in the namespace that becomes the client's."""

    def __init__(self, index: int, clock: Clock, folder: Path) -> None:
        self._index = index
        self._clock = clock
        self._namespace = Namespace(sysctls.pin)
        self._pinned = sysctls.pin()
        self._folder = folder
        self._servers = StackServers(self._open_server)
        self._clients = StackClients(self._open_client)
        self._processes: list[StackProcess] = []
        addresses = create_link(index, client_ns=None, server_ns=self._namespace.path)
        ends = NetworkPath(
            client_end=ShapedInterface(None, IFNAME),
            server_end=ShapedInterface(self._namespace.path, IFNAME),
            address=addresses.server.address,
            client_address=addresses.client.address,
        )
        self._paths: dict[Layout, NetworkPath] = {"ends": ends}
        self._cells: dict[str, Cell] = {}
        self._runner: FetchRunner | None = None
        self._traced: Traced | None = None

    def start(self, profiles: tuple[Profile, ...], timeout_ns: int) -> LaneFacts:
        """Serve `profiles`, and return what the lane runs on."""
        self._runner = FetchRunner(
            path_of=self._path_of,
            server=self._servers,
            client=self._clients,
            timeout_ns=timeout_ns,
            settle=_next_timer_phase if self._clock == "virtual" else _nothing,
            traffic=(LocalCrossTraffic(None), LocalCrossTraffic(self._namespace.path)),
        )
        served = self._runner.start(profiles)
        versions = {**self._clients.versions(), **self._servers.versions(), "python": platform.python_version()}
        return LaneFacts(kernel=platform.release(), versions=versions, sysctls=self._pinned, served=served)

    def learn_sizes(self, kinds: tuple[ConnectionKind, ...]) -> LearnedSizes:
        """Fetch once with every profile and kind of connection; return their sizes on the wire."""
        return self._started().learn_sizes(kinds)

    def add_cells(self, cells: dict[str, Cell]) -> None:
        """Learn the cells that later runs name by id."""
        self._cells.update(cells)

    def run(self, fetches: Sequence[Fetch]) -> Iterator[Timings]:
        """Do `fetches`, yielding the timings of each in order."""
        for _, timings in self._started().run(self._cells, fetches):
            yield timings

    def run_indexed(
        self, cell_ids: tuple[str, ...], indices: tuple[int, ...], seeds: tuple[int, ...]
    ) -> Iterator[Timings]:
        """Do the fetches of a short request: each seed, and the position of its cell in `cell_ids`."""
        pairs = zip(indices, seeds, strict=True)
        return self.run([Fetch(cell_id=cell_ids[index], block=0, repetition=0, seed=seed) for index, seed in pairs])

    def set_link(self, link: Link, tcp: Tcp, seed: int) -> LinkState:
        """Set both ends and read them back."""
        return self._started().set_link(link, tcp, seed)

    def read_link(self) -> LinkState:
        """Read both ends."""
        return self._started().read_link()

    def calibrate(self, link: Link, tcp: Tcp, seed: int) -> Calibration:
        """Measure a link, and leave nothing of it behind."""
        return calibrate(self._started(), self._probers, link=link, tcp=tcp, seed=seed, clock=self._clock)

    def cpu(self) -> dict[str, int]:
        """Return this agent's own CPU time so far, ns."""
        return {"agent_ns": time.process_time_ns()}

    def trace(self, fetch: Fetch) -> TracedFetch:
        """Do `fetch` with a capture at both ends and a key log, which `pcap` and `keys` give out."""
        cell = self._cells[fetch.cell_id]
        self._path_of(cell.link.layout)
        ifname = INTERFACES[cell.link.layout]
        server_ns = self._namespace.path
        tracer = Tracer(
            runner=self._started(),
            mirrors=[EgressMirror(netns, ifname) for netns in (None, server_ns)],
            client_tap=LocalTap(None, ifname),
            server_tap=LocalTap(server_ns, ifname),
            client=self._clients,
        )
        self._traced = tracer.trace(cell, fetch.seed)
        return self._traced.fetch

    def pcap(self, side: Side) -> bytes:
        """Return the capture of one side of the last trace."""
        traced = self._last_trace()
        return traced.client_pcap if side == "client" else traced.server_pcap

    def keys(self) -> str:
        """Return the key log of the last trace, and forget the trace."""
        traced, self._traced = self._last_trace(), None
        return traced.keys

    def close(self) -> None:
        """ShapedInterface the server."""
        self._servers.stop()
        for process in self._processes:
            process.close()

    def _open_server(self, name: str) -> StackServer:
        stack, folder = stack_named(name), self._folder / name
        if not stack.environment:
            return ServerProcess(stack, folder, enter=self._namespace.enter)
        return proxy(StackServer, self._start_process("server", stack, folder, self._namespace.enter))

    def _open_client(self, name: str) -> StackClient:
        stack = stack_named(name)
        if not stack.environment:
            return DriverClient(stack)
        return proxy(StackClient, self._start_process("client", stack, self._folder / name))

    def _start_process(
        self, role: str, stack: Stack, folder: Path, enter: Callable[[], None] | None = None
    ) -> RpcClient:
        process = StackProcess(role, stack, folder, enter)
        self._processes.append(process)
        return process.rpc

    def _path_of(self, layout: Layout) -> NetworkPath:
        """Return the path of a layout. Both exist side by side; the routed one is built when it is first needed."""
        if layout not in self._paths:
            self._paths[layout] = build_routed_path(self._index, self._namespace.path)
        return self._paths[layout]

    def _probers(self, path: NetworkPath) -> tuple[Prober, Prober]:
        return LocalProber(None, path.client_end.queue), LocalProber(self._namespace.path, path.server_end.queue)

    def _last_trace(self) -> Traced:
        if self._traced is None:
            raise RuntimeError("trace comes first")
        return self._traced

    def _started(self) -> FetchRunner:
        if self._runner is None:
            raise RuntimeError("start comes first")
        return self._runner


def _next_timer_phase() -> None:
    """Sleep until the timer wheel is at the phase at which the last fetch started: free in virtual time."""
    time.sleep((TIMER_PHASE_NS - time.monotonic_ns() % TIMER_PHASE_NS) / NS_PER_S)


def _nothing() -> None:
    """Do nothing: real time does not wait."""
