"""What one lane does: take a block, fetch it, keep every sample at once, outlive the lane's deaths."""

import socket
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pqbed.beds.bed import Bed, Lane
from pqbed.errors import LaneError
from pqbed.plan import Plan
from pqbed.runner.blocks import Blocks
from pqbed.runner.calibration import Calibrator
from pqbed.runner.events import BlockDone, LaneClosed, LaneFailed, LaneOpened, SampleTaken, SweepEvent
from pqbed.runner.pressure import LanePressure, PressureWatch, is_pressed
from pqbed.spec.codec import to_json
from pqbed.spec.sample import Fetch, Sample, Timings
from pqbed.store.run import Run

# A lane that fails this often in a row without a sample will not come back.
FAILURE_LIMIT = 3
# Ctrl-C reaches the processes of a lane as well as ours, and they may be quicker: wait before calling it a failure.
SETTLE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What the lanes of one sweep share."""

    plan: Plan
    bed: Bed
    run: Run
    blocks: Blocks
    calibrator: Calibrator
    pressure: PressureWatch
    stop: threading.Event
    tell: Callable[[SweepEvent], None]


class Worker:
    """Drives lane `index` in its own thread until the blocks are done, `stop` is set, or it cannot go on."""

    def __init__(self, errand: Errand, index: int) -> None:
        self.index = index
        self._errand = errand
        self._lane: Lane | None = None
        self._links = errand.calibrator.queue_of_lane()
        self._pressure = LanePressure(errand.pressure)
        self._opened = False
        self._failures = 0
        self._host = socket.gethostname()
        self._thread = threading.Thread(target=self._live, name=f"lane-{index}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the thread. Return whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def cut(self) -> None:
        """Close the lane under a fetch in flight, from another thread. Only once `stop` is set."""
        lane = self._lane
        if lane is not None:
            lane.close()

    def _live(self) -> None:
        error: BaseException | None = None
        try:
            self._work()
        except BaseException as caught:  # noqa: BLE001 - it is told, and raised in the caller's thread
            error = caught
        try:
            self._close_lane()
        except BaseException as caught:  # noqa: BLE001
            error = error or caught
        self._errand.tell(LaneClosed(lane=self.index, error=error))

    def _work(self) -> None:
        while (block := self._errand.blocks.take(self._errand.stop)) is not None:
            self._do_block(block)

    def _do_block(self, block: tuple[Fetch, ...]) -> None:
        left = deque(block)
        while left and not self._errand.stop.is_set():
            try:
                lane = self._open_lane()
                self._calibrate(lane, left)
            except LaneError as error:
                self._bear(error)
                continue
            if self._errand.stop.is_set():
                return
            try:
                self._fetch(lane, left)
            except LaneError as error:
                self._lose(error, left)
        if not left:
            self._errand.tell(BlockDone(lane=self.index, block=block[0].block))
            judged = self._errand.blocks.done(block[0].block)
            if judged is not None:
                self._errand.tell(judged)

    def _open_lane(self) -> Lane:
        if self._lane is None:
            plan = self._errand.plan
            self._lane = self._errand.bed.open_lane(self.index, plan.profiles, plan.timeout_ns)
            self._errand.tell(LaneOpened(lane=self.index, facts=self._lane.facts, again=self._opened))
            self._opened = True
            self._links = self._errand.calibrator.queue_of_lane()
        return self._lane

    def _calibrate(self, lane: Lane, left: deque[Fetch]) -> None:
        cells = {fetch.cell_id for fetch in left}
        self._errand.calibrator.calibrate(lane, self._links, cells, self._errand.stop)

    def _fetch(self, lane: Lane, left: deque[Fetch]) -> None:
        self._pressure.begin()
        results = lane.run(self._errand.plan.cells, tuple(left))
        try:
            for fetch, timings in results:
                if not left or fetch != left[0]:
                    raise LaneError(f"lane {self.index} answered for a fetch that it was not asked for")
                self._keep(lane, left.popleft(), timings)
                self._failures = 0
                if self._errand.stop.is_set():
                    return
        finally:
            if isinstance(results, Generator):
                results.close()
        if left:
            raise LaneError(f"lane {self.index} left {len(left)} fetches of a block undone")

    def _lose(self, error: LaneError, left: deque[Fetch]) -> None:
        """Record the fetch that was in flight as `server_down`, and drop the lane."""
        if self._errand.stop.wait(SETTLE_S):
            return
        lane = self._lane
        if lane is not None and left:
            self._keep(lane, left.popleft(), Timings(outcome="server_down", detail=error.message))
        self._bear(error)

    def _bear(self, error: LaneError) -> None:
        """Count a failure. Raises LaneError where there were too many in a row."""
        self._failures += 1
        self._errand.tell(LaneFailed(lane=self.index, detail=error.message, failures=self._failures))
        self._close_lane()
        if self._failures >= FAILURE_LIMIT:
            raise LaneError(
                f"lane {self.index} failed {self._failures} times in a row without a sample: {error.message}",
                error.hint or "`pqbed doctor` tells what this host lacks; --resume goes on from here",
            ) from error

    def _close_lane(self) -> None:
        lane, self._lane = self._lane, None
        if lane is not None:
            with suppress(LaneError):  # it is gone already
                lane.close()

    def _keep(self, lane: Lane, fetch: Fetch, timings: Timings) -> None:
        sample = Sample(
            fetch=fetch,
            timings=timings,
            lane=self.index,
            bed=self._errand.bed.name,
            clock=self._errand.bed.clock,
            kernel=lane.facts.kernel,
            host=self._host,
            **self._pressed(),
        )
        self._errand.run.journal(self.index).append(sample)
        self._errand.tell(SampleTaken(sample=sample))

    def _pressed(self) -> dict[str, Any]:
        """Return what else wanted the CPUs. In virtual time it cannot matter, and rows are a function of their seed."""
        if self._errand.bed.clock == "virtual":
            return {}
        pressure = self._pressure.end()
        return {**to_json(pressure), "pressed": is_pressed(pressure)}
