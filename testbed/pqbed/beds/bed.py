"""What a bed is: it provides lanes, and a lane turns planned fetches into samples."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol

from pqbed.agent.facts import LaneFacts
from pqbed.agent.tracing import Traced
from pqbed.calibrate.measurement import Calibration
from pqbed.net.state import LinkState
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.options import Clock
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.tcp import Tcp

BedName = Literal["docker", "netns", "uml", "fake"]


class Lane(Protocol):
    """One isolated client-link-server triple. Not safe for use by two threads at once, but for `close`."""

    index: int
    facts: LaneFacts

    def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
        """Do `fetches` in order and yield each with what it gave, as soon as it is known.

        A failed fetch is a result. Raises LaneError when the lane itself is gone: what was not
        yielded was not measured.
        """
        ...

    def set_link(self, link: Link, tcp: Tcp, seed: int) -> LinkState:
        """Set both ends and read them back. Raises HostError where the kernel took something else."""
        ...

    def read_link(self) -> LinkState:
        """Read both ends as they are."""
        ...

    def calibrate(self, link: Link, tcp: Tcp, seed: int) -> Calibration:
        """Measure a link, set as it is for a fetch. Raises HostError where the kernel took something else."""
        ...

    def trace(self, cell: Cell, fetch: Fetch) -> Traced:
        """Do one fetch and capture it at both ends. Raises HostError where packets cannot be captured here."""
        ...

    def close(self) -> None:
        """End everything the lane started. Safe to call twice, and from another thread to cut a fetch in flight."""
        ...


class Bed(Protocol):
    """Provides lanes. `prepare` makes what they need (images, kernel, root file system), once."""

    name: BedName
    clock: Clock

    def prepare(self, stacks: Sequence[str] = ()) -> dict[str, str]:
        """Make or find the artefacts for `stacks`; return their identities (image ids, kernel and root hashes).

        Lanes are opened with profiles of these stacks, and of the one that every bed is built on.
        """
        ...

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> Lane:
        """Start lane `index` serving `profiles`; `timeout_ns` bounds each fetch on the bed's clock."""
        ...

    def close(self) -> None:
        """End what the bed itself holds, never what `up` left running on purpose."""
        ...
