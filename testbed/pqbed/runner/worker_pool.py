"""The lanes of one sweep side by side: start them, hear them, stop them."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator

from pqbed.beds.bed import Bed
from pqbed.errors import StoreError
from pqbed.plan import Plan
from pqbed.runner.blocks import Blocks
from pqbed.runner.calibration import Calibrator
from pqbed.runner.events import LaneClosed, SweepEvent
from pqbed.runner.pressure import PressureWatch
from pqbed.runner.worker import Errand, Worker
from pqbed.spec.options import Calibrate
from pqbed.store.run import Run

OnEvent = Callable[[SweepEvent], object]

# A lane may finish the fetch in flight for this long after a stop; then it is closed under it.
GRACE_S = 2.0
# A lane that is being opened, or does not heed its closing, is waited for this long and then left behind.
CUT_S = 30.0
_POLL_S = 0.1


class Crew:
    """The workers and the events they send. `error` is the first that ended a lane; it ends them all."""

    def __init__(
        self,
        plan: Plan,
        bed: Bed,
        run: Run,
        blocks: Blocks,
        lanes: int,
        *,
        pressure: PressureWatch,
        calibrate: Calibrate = "off",
    ) -> None:
        self.error: BaseException | None = None
        self._halt = threading.Event()
        self._events: queue.SimpleQueue[SweepEvent] = queue.SimpleQueue()
        tell = self._events.put
        calibrator = Calibrator(plan, bed, run, calibrate, tell)
        errand = Errand(
            plan=plan,
            bed=bed,
            run=run,
            blocks=blocks,
            calibrator=calibrator,
            pressure=pressure,
            stop=self._halt,
            tell=tell,
        )
        self._workers = [Worker(errand, index) for index in range(lanes)]
        self._started: list[Worker] = []

    def work(self, stop: threading.Event) -> Iterator[SweepEvent]:
        """Start the lanes and yield their events until the last has closed, one has failed, or `stop` is set."""
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

    def dismiss(self, on_event: OnEvent) -> None:
        """End the lanes that still run, and tell what they did meanwhile."""
        self._halt.set()
        if not self._join(GRACE_S):
            for worker in self._started:
                worker.cut()
            self._join(CUT_S)
        while not self._events.empty():
            event = self._events.get()
            self._note(event)
            on_event(event)

    def _join(self, patience_s: float) -> bool:
        """Wait for all lanes together; a second Ctrl-C ends the waiting. Return whether all have ended."""
        try:
            ended = [worker.join(patience_s / len(self._started)) for worker in self._started]
        except KeyboardInterrupt:
            return False
        return all(ended)

    def _note(self, event: SweepEvent) -> None:
        """Keep the first error. What a lane says after a stop is the stop's doing, unless a sample was lost."""
        if isinstance(event, LaneClosed) and event.error is not None:
            if self.error is None and (not self._halt.is_set() or isinstance(event.error, StoreError)):
                self.error = event.error
            self._halt.set()
