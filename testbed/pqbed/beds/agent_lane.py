"""Lane whose agent is one process behind a channel: a uml guest, or a process in namespaces."""

from collections.abc import Iterator, Mapping, Sequence

from pqbed.agent.fetch_trace import Traced
from pqbed.agent.lane_facts import LaneFacts
from pqbed.agent.lane_interface import LaneService
from pqbed.agent.rpc_client import RpcClient
from pqbed.agent.rpc_proxies import proxy
from pqbed.beds.lane_process import LaneProcess
from pqbed.calibrate.measurement import Calibration
from pqbed.errors import LaneError, LaneGoneError
from pqbed.net.link_state import LinkState
from pqbed.spec.cell import Cell
from pqbed.spec.connection import ConnectionKind
from pqbed.spec.link import Link
from pqbed.spec.link_sides import SIDES
from pqbed.spec.profile import Profile
from pqbed.spec.run_options import Clock
from pqbed.spec.sample import NO_FAILURES, Fetch, Timings
from pqbed.spec.tcp import Tcp
from pqbed.tls.wire_sizes import LearnedSizes

START_TIMEOUT_S = 120.0
# Wall-clock silence before a lane is given up: far above the longest fetch in virtual time.
SILENCE_S = 120.0
# A guest's kernel says this when the host has killed the process in which it runs one of its own
# (arch/um/os-Linux/skas/process.c). A program that crashes inside the guest does not cause it.
HOST_KILL = "wait_stub_done"


class AgentLane:
    """One lane. Owns its process."""

    def __init__(
        self, index: int, process: LaneProcess, profiles: Sequence[Profile], timeout_ns: int, clock: Clock
    ) -> None:
        """Wait for the agent and start its server. `process` is ended if that fails."""
        self.index = index
        self.process = process
        self._clock = clock
        self._silence_s = START_TIMEOUT_S
        self._known: set[str] = set()
        rpc = RpcClient(process.write, lambda: process.readline(self._silence_s), f"lane {index}")
        self._rpc = rpc
        self._agent = proxy(LaneService, rpc)
        try:
            rpc.wait_ready()
            self.facts: LaneFacts = self._agent.start(tuple(profiles), timeout_ns)
        except LaneError as error:
            words = process.last_words()
            self.close()
            raise LaneError(f"{error.message}{'; ' + words if words else ''}", error.hint) from error
        except BaseException:
            self.close()
            raise
        self._silence_s = SILENCE_S + timeout_ns / 1e9

    def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
        """Do `fetches` in order (see `beds.bed.Lane`)."""
        self._send_cells(cells, fetches)
        # A guest's console takes one system call per byte: send only what the agent needs.
        names = tuple(dict.fromkeys(fetch.cell_id for fetch in fetches))
        index = {name: number for number, name in enumerate(names)}
        which = tuple(index[fetch.cell_id] for fetch in fetches)
        seeds = tuple(fetch.seed for fetch in fetches)
        self.process.was_stopped()  # before this fetch it did no harm
        for fetch, timings in zip(fetches, self._agent.run_indexed(names, which, seeds), strict=True):
            if self._clock == "real" and self.process.was_stopped():
                raise LaneGoneError(f"lane {self.index} was stopped by a signal during a fetch")
            if timings.outcome not in NO_FAILURES and self._rpc.has_said(HOST_KILL):
                raise LaneGoneError(f"the host killed a process of lane {self.index}: {timings.outcome}")
            yield fetch, timings

    def learn_sizes(self, kinds: tuple[ConnectionKind, ...]) -> LearnedSizes:
        """Fetch once with every profile and kind of connection (see `beds.bed.Lane`)."""
        return self._agent.learn_sizes(kinds)

    def set_link(self, link: Link, tcp: Tcp, seed: int) -> LinkState:
        """Set both ends and read them back."""
        return self._agent.set_link(link, tcp, seed)

    def read_link(self) -> LinkState:
        """Read both ends."""
        return self._agent.read_link()

    def calibrate(self, link: Link, tcp: Tcp, seed: int) -> Calibration:
        """Measure a link (see `beds.bed.Lane`)."""
        return self._agent.calibrate(link, tcp, seed)

    def trace(self, cell: Cell, fetch: Fetch) -> Traced:
        """Do one fetch and capture it at both ends."""
        self._send_cells({fetch.cell_id: cell}, (fetch,))
        traced = self._agent.trace(fetch)
        client, server = (self._agent.pcap(side) for side in SIDES)
        keys = self._agent.keys()
        return Traced(fetch=traced, client_pcap=client, server_pcap=server, keys=keys)

    def cpu(self) -> dict[str, int]:
        """Return CPU times of the agent, ns."""
        return self._agent.cpu()

    def close(self) -> None:
        """End the process and everything that it started."""
        self.process.close()

    def _send_cells(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> None:
        new = [name for name in dict.fromkeys(fetch.cell_id for fetch in fetches) if name not in self._known]
        if new:
            self._agent.add_cells({name: cells[name] for name in new})
        self._known.update(new)
