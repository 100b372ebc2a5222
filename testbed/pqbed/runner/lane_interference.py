"""Lane check before a sweep on the real clock: how many parallel lanes do not slow one another down.

The baseline's shortest cell is fetched on one lane alone and on all lanes at once, with the same seeds. If the times
differ, fewer lanes are tried. Virtual time needs no check: the host's load does not reach the guest.
"""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pqbed.beds.bed_interface import Bed, Lane
from pqbed.duration.estimate import estimate_seconds
from pqbed.errors import LaneError
from pqbed.plan import Plan
from pqbed.spec.link import Link, mean_loss_ppm
from pqbed.spec.link_sides import SIDES, jitter_of, loss_of
from pqbed.store.manifest import LaneCheck, LaneTrial, utc_now

# An interval of p90 needs 36. The first fetches fill caches and are not counted.
FETCHES = 40
WARM_UPS = 3
# For one lane alone, and for each number of lanes that is tried. Long fetches are fewer.
PHASE_S = 6.0

Agree = Callable[[npt.NDArray[np.float64], npt.NDArray[np.float64], int], LaneTrial]


def check_lanes(plan: Plan, bed: Bed, lanes: int, agree: Agree, *, phase_s: float = PHASE_S) -> LaneCheck:
    """Return how many of `lanes` may run at once on a prepared `bed`, and the trials that show it.

    Takes at most `phase_s` each to fill the caches, for one lane alone, and for each number of lanes tried (a binary
    search), plus the time to open the lanes and to finish fetches in flight. Raises LaneError if a lane is lost,
    HostError or EngineError if one cannot be opened.
    """
    cell_id = shortest_cell(plan)
    with _open(bed, plan, lanes) as opened, ThreadPoolExecutor(lanes) as pool:
        bench = _LaneBench(plan, cell_id, opened, pool, phase_s)
        bench.warm_up()
        alone = bench.measure(1)
        trials: list[LaneTrial] = []

        def agrees(count: int) -> bool:
            trials.append(agree(alone, bench.measure(count), count))
            return trials[-1].agrees

        taken = most_agreeing(lanes, agrees)
    return LaneCheck(at=utc_now(), asked=lanes, taken=taken, cell_id=cell_id, fetches=alone.size, trials=tuple(trials))


def shortest_cell(plan: Plan) -> str:
    """Return the cell of the baseline that takes least time, one without loss and jitter if there is any."""

    def cost(cell_id: str) -> tuple[bool, float]:
        cell = plan.cells[cell_id]
        return _is_random(cell.link), estimate_seconds(replace(plan, cells={cell_id: cell}, samples=1), "real", 1)

    return min((cell_id for cell_id, cell in plan.cells.items() if cell.profile == plan.profiles[0]), key=cost)


def most_agreeing(lanes: int, agrees: Callable[[int], bool]) -> int:
    """Return the largest number of lanes that `agrees`: all of them, or by binary search."""
    if lanes < 2 or agrees(lanes):
        return lanes
    good, bad = 1, lanes
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if agrees(middle) else (good, middle)
    return good


class _LaneBench:
    """Open lanes, and timed fetches on some of them at once."""

    def __init__(
        self, plan: Plan, cell_id: str, lanes: Sequence[Lane], pool: ThreadPoolExecutor, phase_s: float
    ) -> None:
        self._plan, self._lanes, self._pool, self._phase_s = plan, lanes, pool, phase_s
        fetches = (fetch for number in range(FETCHES) for fetch in plan.block(number) if fetch.cell_id == cell_id)
        self._fetches = tuple(fetches)

    def warm_up(self) -> None:
        list(self._pool.map(lambda lane: self.ttlbs(lane, WARM_UPS), self._lanes))

    def measure(self, count: int) -> npt.NDArray[np.float64]:
        """Fetch on the first `count` lanes at once; return all TTLBs in ns, infinite if failed."""
        start = threading.Barrier(count)

        def work(lane: Lane) -> list[float]:
            start.wait()
            return self.ttlbs(lane, FETCHES)

        by_lane = self._pool.map(work, self._lanes[:count])
        return np.array([ttlb_ns for times in by_lane for ttlb_ns in times])

    def ttlbs(self, lane: Lane, most: int) -> list[float]:
        """Fetch 1 to `most` times, until the time of the phase is over; return TTLBs in ns, infinite if failed."""
        end = time.monotonic() + self._phase_s
        times: list[float] = []
        for fetch in self._fetches[:most]:
            for _, timings in lane.run(self._plan.cells, (fetch,)):
                times.append(float(timings.last_byte_ns or 0) if timings.outcome == "ok" else math.inf)
            if time.monotonic() >= end:
                break
        if not times:
            raise LaneError(f"lane {lane.index} returned no timings")
        return times


@contextlib.contextmanager
def _open(bed: Bed, plan: Plan, count: int) -> Iterator[list[Lane]]:
    with contextlib.ExitStack() as stack:
        lanes: list[Lane] = []
        for index in range(count):
            lanes.append(bed.open_lane(index, plan.profiles, plan.timeout_ns))
            stack.callback(_close, lanes[-1])
        yield lanes


def _close(lane: Lane) -> None:
    with contextlib.suppress(LaneError):
        lane.close()


def _is_random(link: Link) -> bool:
    return any(jitter_of(link, side) > 0 or mean_loss_ppm(loss_of(link, side)) > 0 for side in SIDES)
