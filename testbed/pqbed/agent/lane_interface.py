"""The interface of an agent that is a whole lane: in a UML guest, or in namespaces of its own."""

from collections.abc import Iterator
from typing import Protocol

from pqbed.agent.fetch_trace import TracedFetch
from pqbed.agent.lane_facts import LaneFacts
from pqbed.agent.rpc_methods import secret
from pqbed.calibrate.measurement import Calibration
from pqbed.net.link_state import LinkState
from pqbed.spec.cell import Cell
from pqbed.spec.connection import ConnectionKind
from pqbed.spec.link import Link
from pqbed.spec.link_sides import Side
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.tcp import Tcp
from pqbed.tls.wire_sizes import LearnedSizes


class LaneService(Protocol):
    """The calls of one lane. `start` comes first."""

    def start(self, profiles: tuple[Profile, ...], timeout_ns: int) -> LaneFacts:
        """Serve `profiles`, and return what the lane runs on."""
        ...

    def learn_sizes(self, kinds: tuple[ConnectionKind, ...]) -> LearnedSizes:
        """Fetch once with every profile and kind of connection; return their sizes on the wire."""
        ...

    def add_cells(self, cells: dict[str, Cell]) -> None:
        """Learn cells by id, for later runs."""
        ...

    def run_indexed(
        self, cell_ids: tuple[str, ...], indices: tuple[int, ...], seeds: tuple[int, ...]
    ) -> Iterator[Timings]:
        """Do one fetch per seed, of the cell whose position in `cell_ids` is given in `indices`; a short request."""
        ...

    def set_link(self, link: Link, tcp: Tcp, seed: int) -> LinkState:
        """Set the link and read it back."""
        ...

    def read_link(self) -> LinkState:
        """Read the link without changing it."""
        ...

    def calibrate(self, link: Link, tcp: Tcp, seed: int) -> Calibration:
        """Measure a link, and leave nothing of it behind."""
        ...

    def cpu(self) -> dict[str, int]:
        """Return the agent's CPU time so far, ns."""
        ...

    def trace(self, fetch: Fetch) -> TracedFetch:
        """Do `fetch` with a capture at both ends and a key log, for `pcap` and `keys`."""
        ...

    def pcap(self, side: Side) -> bytes:
        """Return the capture of one side of the last trace."""
        ...

    @secret
    def keys(self) -> str:
        """Return the key log of the last trace, and forget the trace."""
        ...
