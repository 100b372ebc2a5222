"""The lanes of one worker process, kept open from task to task: runs in the worker, as a plugin of Dask's.

A lane is driven by the same code as on one machine (`runner.lane_worker`), so that lost fetches, failing lanes and
calibration are treated alike.
"""

import asyncio
import contextlib
import itertools
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from pqbed.agent.lane_facts import LaneFacts
from pqbed.artefacts.user_stacks import added_stacks
from pqbed.beds.bed_interface import Bed
from pqbed.cluster.task_result import TaskDone, TaskFailed, pack_samples
from pqbed.cluster.tasks import Task
from pqbed.cluster.worker_identity import identify
from pqbed.errors import HostError, LaneError, PqbedError
from pqbed.plan import Plan
from pqbed.runner.block_queue import Block
from pqbed.runner.calibrate_links import Calibrator
from pqbed.runner.cpu_contention import PressureWatch
from pqbed.runner.lane_consistency import SameLanes
from pqbed.runner.lane_worker import SweepContext
from pqbed.runner.lane_worker import Worker as LaneWorker
from pqbed.runner.sweep_events import BlockDone, CheckpointReached, LaneClosed, LaneFailed, SweepEvent
from pqbed.spec.profile import stacks_of
from pqbed.spec.run_options import Calibrate
from pqbed.spec.sample import Sample
from pqbed.store.manifest import Manifest

CLOSE_S = 10.0
_POLL_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSetup:
    """What a worker needs of a run. `make_bed` is called in the worker; `identity` is the coordinator's."""

    plan: Plan
    manifest: Manifest
    calibrate: Calibrate
    identity: dict[str, str]
    make_bed: Callable[[], Bed]


class WorkerLanes(WorkerPlugin):  # type: ignore[misc] # Dask is not typed
    """Makes the bed once and opens a lane for each thread that runs a task."""

    def __init__(self, name: str, setup: WorkerSetup) -> None:
        self.name = name
        self._setup = setup

    def setup(self, worker: Worker) -> None:
        """Start nothing: beds and lanes are made by the tasks that need them."""
        self._address = worker.address
        self._mutex = threading.Lock()
        self._bed: Bed | None = None
        self._identity: dict[str, str] = {}
        self._lanes: dict[int, FedLane] = {}
        self._numbers = itertools.count()

    def teardown(self, worker: Worker) -> None:
        """Close the lanes: the worker ends, or the run has."""
        del worker
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            lane.close()
        if self._bed is not None:
            self._bed.close()

    def identify(self) -> dict[str, str]:
        """Return the identity of this worker. Raises PqbedError if its bed cannot be prepared."""
        self._prepared()
        return self._identity

    def run(self, task: Task) -> TaskDone | TaskFailed:
        """Do `task` on the lane of this thread."""
        try:
            bed = self._prepared()
            if self._identity != self._setup.identity:
                raise HostError("the worker is not like the others: it joined later")
            return self._lane(bed).run(task)
        except PqbedError as error:
            self._drop_lane()
            return TaskFailed(worker=self._address, detail=error.message, hint=error.hint)
        except OSError as error:
            self._drop_lane()
            return TaskFailed(worker=self._address, detail=f"{error.filename or 'system'}: {error.strerror or error}")

    def _prepared(self) -> Bed:
        with self._mutex:
            if self._bed is None:
                bed = self._setup.make_bed()
                stacks = stacks_of(self._setup.plan.profiles)
                added = {f"stack {name}": digest for name, digest in added_stacks(stacks).items()}
                self._identity = identify(bed.prepare(stacks) | added)
                self._bed = bed
            return self._bed

    def _lane(self, bed: Bed) -> "FedLane":
        with self._mutex:
            thread = threading.get_ident()
            if thread not in self._lanes:
                self._lanes[thread] = FedLane(self._setup, bed, next(self._numbers), self._address)
            return self._lanes[thread]

    def _drop_lane(self) -> None:
        with self._mutex:
            lane = self._lanes.pop(threading.get_ident(), None)
        if lane is not None:
            lane.close()


class FedLane:
    """A lane in its own thread, fed with the blocks of one task after another."""

    def __init__(self, setup: WorkerSetup, bed: Bed, index: int, address: str) -> None:
        self._setup, self._index, self._address = setup, index, address
        self._blocks = FedBlocks()
        self._stop = threading.Event()
        self._events: queue.SimpleQueue[SweepEvent] = queue.SimpleQueue()
        self._samples: list[Sample] = []
        self._calibrations: list[Any] = []
        self._facts: LaneFacts | None = None
        self._pressure = PressureWatch()
        self._calibrator = Calibrator(
            setup.plan,
            bed,
            setup.calibrate,
            done=(),
            store=self._calibrations.append,
            emit=self._events.put,
        )
        context = SweepContext(
            plan=setup.plan,
            bed=bed,
            store=self._samples.append,
            blocks=self._blocks,
            calibrator=self._calibrator,
            pressure=self._pressure,
            lanes=SameLanes(setup.manifest),
            stop=self._stop,
            record=self._record,
            emit=self._events.put,
        )
        self._worker = LaneWorker(context, index)
        self._worker.start()

    def run(self, task: Task) -> TaskDone:
        """Do `task`. Raises LaneError if the lane does not last."""
        self._samples.clear()
        self._calibrations.clear()
        if self._setup.calibrate == "once":
            for link in task.links(self._setup.plan) - task.calibrate:
                self._calibrator.skip(link)
        blocks = list(task.blocks(self._setup.plan))
        for block in blocks:
            self._blocks.put(block)
        failures = self._wait(len(blocks))
        assert self._facts is not None
        return TaskDone(
            worker=self._address,
            lane=self._index,
            facts=self._facts,
            table=pack_samples(self._samples),
            calibrations=tuple(self._calibrations),
            failures=failures,
        )

    def close(self) -> None:
        """End the lane. Safe to call twice."""
        self._stop.set()
        if not self._worker.join(CLOSE_S / 2):
            self._worker.cut()
            self._worker.join(CLOSE_S / 2)
        self._pressure.close()

    def _wait(self, blocks: int) -> tuple[str, ...]:
        """Wait for so many blocks; return in what the lane failed meanwhile."""
        failures = []
        while blocks:
            match self._events.get():
                case BlockDone():
                    blocks -= 1
                case LaneFailed(detail=detail):
                    failures.append(detail)
                case LaneClosed(error=error):
                    raise error or LaneError(f"lane {self._index} was closed")
                case _:
                    pass
        return tuple(failures)

    def _record(self, facts: LaneFacts) -> None:
        self._facts = facts


class FedBlocks:
    """Blocks that are put in while the lane runs: an empty queue is no end (`runner.block_queue.Blocks`)."""

    def __init__(self) -> None:
        self.planned = 0
        self.checkpoint: CheckpointReached | None = None
        self._waiting: queue.SimpleQueue[Block] = queue.SimpleQueue()

    def put(self, block: Block) -> None:
        self._waiting.put(block)

    def take(self, stop: threading.Event) -> Block | None:
        while not stop.is_set():
            with contextlib.suppress(queue.Empty):
                return self._waiting.get(timeout=_POLL_S)
        return None

    def done(self, block: int) -> CheckpointReached | None:
        """Nothing depends on `block`."""
        del block
        return None


def run_task(plugin: str, task: Task) -> TaskDone | TaskFailed:
    """Do `task` in this worker, with the plugin of that name."""
    return _lanes_of(get_worker(), plugin).run(task)


async def identify_worker(plugin: str, dask_worker: Worker) -> dict[str, str] | TaskFailed:
    """Return the identity of this worker, or why its bed cannot be prepared. Its event loop goes on meanwhile."""
    try:
        return await asyncio.to_thread(_lanes_of(dask_worker, plugin).identify)
    except PqbedError as error:
        return TaskFailed(worker=dask_worker.address, detail=error.message, hint=error.hint)


def _lanes_of(worker: Worker, plugin: str) -> WorkerLanes:
    lanes = worker.plugins[plugin]
    assert isinstance(lanes, WorkerLanes)
    return lanes
