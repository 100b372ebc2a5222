"""The uml bed: one guest a lane, each with its own kernel, and with its own clock if virtual."""

from collections.abc import Callable, Sequence

from pqbed.beds.agent_lane import AgentLane
from pqbed.beds.bed import BedName
from pqbed.beds.process import LaneProcess
from pqbed.spec.options import Clock
from pqbed.spec.profile import Profile

StartGuest = Callable[[int, Clock], LaneProcess]


class UmlBed:
    """Provides guests through `start_guest`: plain processes, or containers of an engine."""

    name: BedName = "uml"

    def __init__(self, clock: Clock, prepare: Callable[[], dict[str, str]], start_guest: StartGuest) -> None:
        self.clock = clock
        self._prepare = prepare
        self._start_guest = start_guest

    def prepare(self) -> dict[str, str]:
        """Make or find the kernel and the root."""
        return self._prepare()

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> AgentLane:
        """Boot a guest and start its server."""
        return AgentLane(index, self._start_guest(index, self.clock), profiles, timeout_ns)

    def close(self) -> None:
        """Nothing to end: each lane ends its own guest."""
