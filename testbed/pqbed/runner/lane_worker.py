"""The thread of one lane: takes blocks, fetches them, stores each sample at once, replaces a lost lane."""

import socket
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pqbed.agent.lane_facts import LaneFacts
from pqbed.beds.bed_interface import Bed, Lane
from pqbed.errors import LaneError, LaneGoneError
from pqbed.plan import Plan
from pqbed.runner.block_queue import Blocks
from pqbed.runner.calibrate_links import Calibrator
from pqbed.runner.cpu_contention import LanePressure, PressureWatch, is_contended
from pqbed.runner.lane_consistency import SameLanes
from pqbed.runner.suspended_host import SuspensionWatch
from pqbed.runner.sweep_events import BlockDone, LaneClosed, LaneFailed, LaneOpened, SampleTaken, SweepEvent
from pqbed.spec.json_codec import to_json
from pqbed.spec.sample import Fetch, Sample, Timings

# A lane that fails this often in a row without a sample will not come back.
FAILURE_LIMIT = 3
# A fetch that this many lanes did not survive is stored as lost.
LOSS_LIMIT = 3
# Ctrl-C reaches the processes of a lane as well as ours, and they may be quicker: wait before calling it a failure.
SETTLE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepContext:
    """What all lanes of a sweep share. `store` keeps a sample for good before it returns."""

    plan: Plan
    bed: Bed
    store: Callable[[Sample], None]
    blocks: Blocks
    calibrator: Calibrator
    pressure: PressureWatch
    lanes: SameLanes
    stop: threading.Event
    record: Callable[[LaneFacts], None]
    emit: Callable[[SweepEvent], None]


class Worker:
    """Drives lane `index` in its own thread until the blocks are done, `stop` is set, or the lane fails for good."""

    def __init__(self, context: SweepContext, index: int) -> None:
        self.index = index
        self._context = context
        self._lane: Lane | None = None
        self._links = context.calibrator.queue_of_lane()
        self._pressure = LanePressure(context.pressure)
        self._suspensions = SuspensionWatch()
        self._opened = False
        self._failures = 0
        self._losses = 0
        self._host = socket.gethostname()
        self._thread = threading.Thread(target=self._run, name=f"lane-{index}", daemon=True)

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

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._work()
        except BaseException as caught:  # noqa: BLE001 - reported, and raised in the caller's thread
            error = caught
        try:
            self._close_lane()
        except BaseException as caught:  # noqa: BLE001
            error = error or caught
        self._context.emit(LaneClosed(lane=self.index, error=error))

    def _work(self) -> None:
        while (block := self._context.blocks.take(self._context.stop)) is not None:
            self._fetch_block(block)

    def _fetch_block(self, block: tuple[Fetch, ...]) -> None:
        left = deque(block)
        while left and not self._context.stop.is_set():
            try:
                lane = self._open_lane()
                self._calibrate(lane, left)
            except LaneError as error:
                self._count_failure(error)
                continue
            if self._context.stop.is_set():
                return
            try:
                self._fetch(lane, left)
            except LaneGoneError as error:
                self._repeat_lost_fetch(error, left)
            except LaneError as error:
                self._record_failed_fetch(error, left)
        if not left:
            self._context.emit(BlockDone(lane=self.index, block=block[0].block))
            checkpoint = self._context.blocks.done(block[0].block)
            if checkpoint is not None:
                self._context.emit(checkpoint)

    def _open_lane(self) -> Lane:
        if self._lane is None:
            plan = self._context.plan
            self._lane = self._context.bed.open_lane(self.index, plan.profiles, plan.timeout_ns)
            facts = self._lane.facts
            self._context.lanes.compare(facts)
            if not self._opened:
                facts = replace(facts, sizes=self._lane.learn_sizes(self._context.plan.size_kinds))
                self._context.record(facts)
            self._context.emit(LaneOpened(lane=self.index, facts=facts, again=self._opened))
            self._opened = True
            self._links = self._context.calibrator.queue_of_lane()
        return self._lane

    def _calibrate(self, lane: Lane, left: deque[Fetch]) -> None:
        cells = {fetch.cell_id for fetch in left}
        self._context.calibrator.calibrate(lane, self._links, cells, self._context.stop)

    def _fetch(self, lane: Lane, left: deque[Fetch]) -> None:
        self._pressure.begin()
        self._suspensions.look()
        results = lane.run(self._context.plan.cells, tuple(left))
        try:
            for fetch, timings in results:
                if not left or fetch != left[0]:
                    raise LaneError(f"lane {self.index} answered for a fetch that was not requested")
                self._refuse_suspended()
                self._store(lane, left.popleft(), timings)
                self._failures = self._losses = 0
                if self._context.stop.is_set():
                    return
        finally:
            if isinstance(results, Generator):
                results.close()
        if left:
            raise LaneError(f"lane {self.index} left {len(left)} fetches of a block unfinished")

    def _refuse_suspended(self) -> None:
        """Raise LaneGoneError if the host was suspended during the last fetch; virtual time stood still then."""
        suspended_ns = self._suspensions.look()
        if suspended_ns and self._context.bed.clock == "real":
            raise LaneGoneError(f"the host was suspended for {suspended_ns / 1e9:.1f} s during a fetch")

    def _repeat_lost_fetch(self, error: LaneGoneError, left: deque[Fetch]) -> None:
        """Drop the lane and leave the fetch that was in flight to the next, or store it as `lost` after LOSS_LIMIT.

        A lane that does not survive two fetches in a row, one after LOSS_LIMIT tries, reaches FAILURE_LIMIT.
        """
        if self._context.stop.wait(SETTLE_S):
            return
        self._losses += 1
        lane = self._lane
        if lane is not None and left and self._losses == LOSS_LIMIT:
            self._store(lane, left.popleft(), Timings(outcome="lost", detail=error.message))
            self._failures = 0
        self._count_failure(error)

    def _record_failed_fetch(self, error: LaneError, left: deque[Fetch]) -> None:
        """Store the fetch at which a living agent failed as `server_down`, and drop the lane."""
        if self._context.stop.wait(SETTLE_S):
            return
        lane = self._lane
        if lane is not None and left:
            self._store(lane, left.popleft(), Timings(outcome="server_down", detail=error.message))
        self._count_failure(error)

    def _count_failure(self, error: LaneError) -> None:
        """Count a failure. Raises LaneError after too many in a row."""
        self._failures += 1
        self._context.emit(LaneFailed(lane=self.index, detail=error.message, failures=self._failures))
        self._close_lane()
        if self._failures >= FAILURE_LIMIT:
            raise LaneError(
                f"lane {self.index} failed {self._failures} times in a row without a sample: {error.message}",
                error.hint or "run `pqbed doctor` to see what this host lacks, then continue with --resume",
            ) from error

    def _close_lane(self) -> None:
        lane, self._lane = self._lane, None
        if lane is not None:
            with suppress(LaneError):  # it is gone already
                lane.close()

    def _store(self, lane: Lane, fetch: Fetch, timings: Timings) -> None:
        sample = Sample(
            fetch=fetch,
            timings=timings,
            lane=self.index,
            bed=self._context.bed.name,
            clock=self._context.bed.clock,
            kernel=lane.facts.kernel,
            host=self._host,
            **self._contention(),
        )
        self._context.store(sample)
        self._context.emit(SampleTaken(sample=sample))

    def _contention(self) -> dict[str, Any]:
        """Return the columns on CPU contention; none in virtual time, where rows depend on their seed only."""
        if self._context.bed.clock == "virtual":
            return {}
        pressure = self._pressure.end()
        return {**to_json(pressure), "pressed": is_contended(pressure)}
