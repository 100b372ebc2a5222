"""What a bed is: it provides lanes, and a lane turns planned fetches into samples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.tcp import Tcp

BedName = Literal["docker", "netns", "uml", "fake"]
Clock = Literal["real", "virtual"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One profile as the server offers it. `certificate_wire_bytes`: the TLS Certificate message."""

    profile: Profile
    port: int
    root_pem: str
    certificate_wire_bytes: int
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFacts:
    """What a lane runs on: the kernel that carries the packets, versions of the parts, pinned sysctls."""

    kernel: str
    versions: dict[str, str] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=dict)
    served: tuple[Served, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndState:
    """One end of the link as the kernel says it is, under the names of `net.shape.EndShape`.

    `text` is the qdisc as `tc` would word it, for people.
    """

    asked: dict[str, object]
    applied: dict[str, object]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """Both ends, read back."""

    client: EndState
    server: EndState


class Lane(Protocol):
    """One isolated client-link-server triple. Not safe for use by two threads at once."""

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

    def close(self) -> None:
        """End everything the lane started. Safe to call twice."""
        ...


class Bed(Protocol):
    """Provides lanes. `prepare` makes what they need (images, kernel, root file system), once."""

    name: BedName
    clock: Clock

    def prepare(self) -> dict[str, str]:
        """Make or find the artefacts; return their identities (image ids, kernel and root hashes)."""
        ...

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> Lane:
        """Start lane `index` serving `profiles`; `timeout_ns` bounds each fetch on the bed's clock."""
        ...

    def close(self) -> None:
        """End what the bed itself holds, never what `up` left running on purpose."""
        ...
