"""UML bed: one guest per lane, each with its own kernel and, if virtual, its own clock."""

from collections.abc import Callable, Sequence

from pqbed.beds.agent_lane import AgentLane
from pqbed.beds.bed_interface import BedName
from pqbed.beds.lane_process import LaneProcess
from pqbed.spec.profile import Profile, stacks_of
from pqbed.spec.run_options import Clock

# The last argument names the stacks that the root must have in addition to the default one.
Prepare = Callable[[tuple[str, ...]], dict[str, str]]
StartGuest = Callable[[int, Clock, tuple[str, ...]], LaneProcess]


class UmlBed:
    """Provides guests through `start_guest`: plain processes, or containers of an engine."""

    name: BedName = "uml"

    def __init__(self, clock: Clock, prepare: Prepare, start_guest: StartGuest) -> None:
        self.clock = clock
        self._prepare = prepare
        self._start_guest = start_guest
        self._stacks: tuple[str, ...] | None = None

    def prepare(self, stacks: Sequence[str] = ()) -> dict[str, str]:
        """Find or build the kernel and the root."""
        self._stacks = tuple(stacks)
        return self._prepare(self._stacks)

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> AgentLane:
        """Boot a guest and start its server."""
        stacks = stacks_of(profiles) if self._stacks is None else self._stacks
        process = self._start_guest(index, self.clock, stacks)
        return AgentLane(index, process, profiles, timeout_ns, self.clock)

    def close(self) -> None:
        """Nothing to end: each lane ends its own guest."""
