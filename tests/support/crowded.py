"""A fake bed on which more than some lanes at once disturb one another."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from pqbed.beds.fake_bed import FakeBed, FakeLane
from pqbed.spec.cell import Cell
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch, Timings


class CrowdedBed(FakeBed):
    """More than `room` lanes at once make each fetch a tenth slower."""

    def __init__(self, room: int, pause_s: float = 0.002) -> None:
        super().__init__(clock="real")
        self.room, self.pause_s = room, pause_s
        self.inside = 0
        self.guard = threading.Lock()
        self.opened: list[CrowdedLane] = []

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> "CrowdedLane":
        self.opened.append(CrowdedLane(self, index, profiles, timeout_ns))
        return self.opened[-1]


class CrowdedLane(FakeLane):
    _bed: CrowdedBed
    closed = False

    def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
        bed = self._bed
        for fetch, timings in super().run(cells, fetches):
            with bed.guard:
                bed.inside += 1
            time.sleep(bed.pause_s)
            with bed.guard:
                crowded = bed.inside > bed.room
                bed.inside -= 1
            if crowded:
                object.__setattr__(timings, "last_byte_ns", round(timings.last_byte_ns * 1.1))
            yield fetch, timings

    def close(self) -> None:
        self.closed = True
        super().close()
