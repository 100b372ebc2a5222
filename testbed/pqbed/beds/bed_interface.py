"""Interfaces of beds and lanes: a bed provides lanes, a lane does planned fetches."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol

from pqbed.agent.fetch_trace import Traced
from pqbed.agent.lane_facts import LaneFacts
from pqbed.calibrate.measurement import Calibration
from pqbed.net.link_state import LinkState
from pqbed.spec.cell import Cell
from pqbed.spec.connection import ConnectionKind
from pqbed.spec.link import Link
from pqbed.spec.profile import Profile
from pqbed.spec.run_options import Clock
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.tcp import Tcp
from pqbed.tls.wire_sizes import LearnedSizes

BedName = Literal["docker", "netns", "uml", "fake"]


class Lane(Protocol):
    """One isolated client-link-server triple. Not thread-safe except for `close`."""

    index: int
    facts: LaneFacts

    def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
        """Do `fetches` in order and yield each with its timings as soon as it is done.

        A failed fetch is a result. Raises LaneError if the lane itself is lost: fetches that were not yielded were not
        measured.
        """
        ...

    def learn_sizes(self, kinds: tuple[ConnectionKind, ...]) -> LearnedSizes:
        """Fetch once with every served profile and kind of connection; return what that takes on the wire.

        Before the first fetch. Fetches that failed are left out.
        """
        ...

    def set_link(self, link: Link, tcp: Tcp, seed: int) -> LinkState:
        """Set both ends and read them back. Raises HostError if the kernel applied something else."""
        ...

    def read_link(self) -> LinkState:
        """Read back both ends."""
        ...

    def calibrate(self, link: Link, tcp: Tcp, seed: int) -> Calibration:
        """Measure a link, set as it is for a fetch. Raises HostError if the kernel applied something else."""
        ...

    def trace(self, cell: Cell, fetch: Fetch) -> Traced:
        """Do one fetch and capture it at both ends. Raises HostError if packets cannot be captured."""
        ...

    def close(self) -> None:
        """End everything the lane started. Safe to call twice, and from another thread to cut a fetch in flight."""
        ...


class Bed(Protocol):
    """Provides lanes. `prepare` builds what they need (images, kernel, root file system), once."""

    name: BedName
    clock: Clock

    def prepare(self, stacks: Sequence[str] = ()) -> dict[str, str]:
        """Find or build the artefacts for `stacks`; return image ids, or kernel and root hashes, by name.

        Lanes may be opened with profiles of these stacks and of the default stack.
        """
        ...

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> Lane:
        """Start lane `index` serving `profiles`; `timeout_ns` bounds each fetch on the bed's clock."""
        ...

    def close(self) -> None:
        """Release what the bed itself holds; lanes that `up` left running keep running."""
        ...
