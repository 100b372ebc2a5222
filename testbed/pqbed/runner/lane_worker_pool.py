"""Worker pool of a sweep: starts the lanes in parallel, forwards their events, stops them."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator

from pqbed.agent.lane_facts import LaneFacts
from pqbed.beds.bed_interface import Bed
from pqbed.errors import StoreError
from pqbed.plan import Plan
from pqbed.runner.block_queue import Blocks
from pqbed.runner.calibrate_links import Calibrator
from pqbed.runner.cpu_contention import PressureWatch
from pqbed.runner.lane_consistency import SameLanes
from pqbed.runner.lane_worker import SweepContext, Worker
from pqbed.runner.sweep_events import LaneClosed, SweepEvent
from pqbed.spec.run_options import Calibrate
from pqbed.store.run_directory import Run

OnEvent = Callable[[SweepEvent], object]

# After a stop a lane may take this long to finish the fetch in flight; then it is closed.
GRACE_S = 2.0
# A lane that is being opened, or does not react to being closed, is abandoned after this long.
CUT_S = 30.0
_POLL_S = 0.1


class WorkerPool:
    """The workers and their events. `error` is the first that ended a lane; it ends all of them.

    `record` takes the facts of each lane before its first fetch.
    """

    def __init__(
        self,
        plan: Plan,
        bed: Bed,
        run: Run,
        blocks: Blocks,
        lanes: int,
        *,
        pressure: PressureWatch,
        record: Callable[[LaneFacts], None],
        calibrate: Calibrate = "off",
    ) -> None:
        self.error: BaseException | None = None
        self._halt = threading.Event()
        self._events: queue.SimpleQueue[SweepEvent] = queue.SimpleQueue()
        emit = self._events.put
        done = run.calibration()["link_id"].to_list()
        calibrator = Calibrator(plan, bed, calibrate, done=done, store=run.add_calibration, emit=emit)
        context = SweepContext(
            plan=plan,
            bed=bed,
            store=lambda sample: run.journal(sample.lane).append(sample),
            blocks=blocks,
            calibrator=calibrator,
            pressure=pressure,
            lanes=SameLanes(run.manifest),
            stop=self._halt,
            record=record,
            emit=emit,
        )
        self._workers = [Worker(context, index) for index in range(lanes)]
        self._started: list[Worker] = []

    def run(self, stop: threading.Event) -> Iterator[SweepEvent]:
        """Start the lanes and yield their events until all have closed, one has failed, or `stop` is set."""
        for worker in self._workers:
            self._started.append(worker)
            worker.start()
        open_lanes = len(self._started)
        while open_lanes and not stop.is_set() and not self._halt.is_set():
            with contextlib.suppress(queue.Empty):
                event = self._events.get(timeout=_POLL_S)
                open_lanes -= isinstance(event, LaneClosed)
                self._note(event)
                yield event

    def shut_down(self, on_event: OnEvent) -> None:
        """End the lanes that still run, and pass on the events that they sent meanwhile."""
        self._halt.set()
        if not self._join(GRACE_S):
            for worker in self._started:
                worker.cut()
            self._join(CUT_S)
        while not self._events.empty():
            event = self._events.get()
            self._note(event)
            on_event(event)

    def _join(self, timeout_s: float) -> bool:
        """Wait for all lanes; a second Ctrl-C ends the wait. Return whether all have ended."""
        try:
            ended = [worker.join(timeout_s / len(self._started)) for worker in self._started]
        except KeyboardInterrupt:
            return False
        return all(ended)

    def _note(self, event: SweepEvent) -> None:
        """Keep the first error. An error after a stop is caused by the stop, unless a sample could not be stored."""
        if isinstance(event, LaneClosed) and event.error is not None:
            if self.error is None and (not self._halt.is_set() or isinstance(event.error, StoreError)):
                self.error = event.error
            self._halt.set()
