"""Execution of a sweep on a cluster: the coordinator hands out tasks and alone writes the run.

Scheduling, transport, lost workers: Dask's. A worker that answers that it cannot do a task is ruled out for this task;
after TRIES of them the reason is taken to lie in the task, and ends the sweep.
"""

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl
from distributed import Client, Future, KilledWorker, wait

from pqbed.cluster.finished_fetches import FinishedFetches, finished_of
from pqbed.cluster.open_cluster import worker_threads
from pqbed.cluster.task_result import TaskDone, TaskFailed, unpack_samples
from pqbed.cluster.tasks import Task, lay_out_tasks
from pqbed.cluster.worker_identity import refuse_differences
from pqbed.cluster.worker_lanes import WorkerLanes, WorkerSetup, identify_worker, run_task
from pqbed.errors import HostError, LaneError, StoreError
from pqbed.plan import Plan
from pqbed.runner.execute_sweep import FactsRecord, SweepOutcome, finish_run, refuse_other_cells
from pqbed.runner.lane_consistency import SameLanes
from pqbed.runner.lane_worker_pool import OnEvent
from pqbed.runner.sweep_events import PartTaken, SweepStarted, WorkerFailed
from pqbed.spec.run_options import Clock
from pqbed.spec.sample import NO_FAILURES
from pqbed.store.manifest import Pressure
from pqbed.store.run_directory import Run

TRIES = 3
# So many tasks per thread are with the cluster: the next is there when one is done, and results do not pile up.
TASKS_IN_FLIGHT = 2
# How often the coordinator looks for workers while no task ends, and for how long there may be none.
LOOK_S, WORKERLESS_S = 5.0, 120.0
_RESUME = "run `pqbed doctor` on that worker, then continue with --resume"


def run_on_cluster(
    setup: WorkerSetup, client: Client, run: Run, *, clock: Clock, on_event: OnEvent = lambda _: None
) -> SweepOutcome:
    """Do all fetches of the plan that `run` has no sample of, on the workers of `client`.

    Ends early on KeyboardInterrupt: samples are kept, and the same call on the same run continues from there. Raises
    HostError before the first task if a worker differs, LaneError if a task fails on TRIES workers or kills them,
    StoreError if samples cannot be stored. `client` and `run` stay open.
    """
    plan = setup.plan
    run.claim()
    run.seal()  # what one machine left: then every part has the samples of one lane
    finished = finished_of(plan, run)
    refuse_other_cells(plan, finished.other_cells, run)
    with _plugged_in(client, setup) as plugin:
        workers = _identified(client, plugin, setup.identity)
        threads = sum(workers.values())
        on_event(SweepStarted(planned=plan.fetch_count, finished=finished.count, lanes=threads))
        calibrated = frozenset(run.calibration()["link_id"]) if setup.calibrate == "once" else frozenset()
        tasks = lay_out_tasks(plan, clock, finished, calibrated=calibrated, workers=threads)
        coordinator = Coordinator(plan, client, run, plugin=plugin, tasks=tasks, finished=finished, on_event=on_event)
        with contextlib.suppress(KeyboardInterrupt):
            coordinator.run()
    return finish_run(plan, run, plan.fetch_count, Pressure())


@contextlib.contextmanager
def _plugged_in(client: Client, setup: WorkerSetup) -> Iterator[str]:
    """Give `setup` to every worker, those that join later too; take it back at the end."""
    name = f"pqbed-{secrets.token_hex(4)}"
    client.register_plugin(WorkerLanes(name, setup))
    try:
        yield name
    finally:
        with contextlib.suppress(OSError, ValueError, TimeoutError):  # the cluster is gone
            client.unregister_worker_plugin(name)


def _identified(client: Client, plugin: str, identity: Mapping[str, str]) -> dict[str, int]:
    """Return the threads of each worker. Raises HostError unless all are as `identity` says."""
    answers = client.run(identify_worker, plugin, on_error="return")
    for address, answer in answers.items():
        if isinstance(answer, BaseException):
            raise HostError(f"worker {address} does not answer: {answer}", "restart it, or start the sweep without it")
        if isinstance(answer, TaskFailed):
            raise HostError(f"worker {answer.worker} cannot take part: {answer.detail}", answer.hint)
    refuse_differences(identity, answers)
    return worker_threads(client)


@dataclass
class _Attempt:
    """A task, and the workers that have failed at it."""

    task: Task
    failed: list[TaskFailed] = field(default_factory=list)


class Coordinator:
    """Keeps a bounded number of tasks with the cluster, and stores what comes back."""

    def __init__(
        self,
        plan: Plan,
        client: Client,
        run: Run,
        *,
        plugin: str,
        tasks: Iterator[Task],
        finished: FinishedFetches,
        on_event: OnEvent,
    ) -> None:
        self._plan, self._client, self._run, self._plugin = plan, client, run, plugin
        self._tasks, self._finished, self._on_event = tasks, finished, on_event
        self._record = FactsRecord(plan, run).record
        self._lanes = SameLanes(run.manifest)
        self._numbers: dict[tuple[str, int], int] = {}
        self._attempts: dict[Future, _Attempt] = {}
        self._calibrated = set(run.calibration()["link_id"])

    def run(self) -> None:
        """Do all tasks. Cancels those in flight if it is interrupted or fails."""
        try:
            self._fill()
            while self._attempts:
                for future in self._await_ended():
                    self._receive(future, self._attempts.pop(future))
                    future.release()
                    self._fill()
        finally:
            self._client.cancel(list(self._attempts))

    def _await_ended(self) -> set[Future]:
        """Return the tasks that have ended. Raises LaneError if there is no worker any more that could end one."""
        last_seen_s = time.monotonic()
        while True:
            try:
                return set(wait(list(self._attempts), timeout=LOOK_S, return_when="FIRST_COMPLETED").done)
            except TimeoutError:
                now_s = time.monotonic()
                if worker_threads(self._client):
                    last_seen_s = now_s
                elif now_s - last_seen_s >= WORKERLESS_S:
                    raise LaneError(
                        f"the cluster has had no worker for {WORKERLESS_S:g} s",
                        "start workers, and continue with --resume",
                    ) from None

    def _fill(self) -> None:
        room = TASKS_IN_FLIGHT * max(1, sum(worker_threads(self._client).values())) - len(self._attempts)
        for _, task in zip(range(room), self._tasks, strict=False):
            self._submit(_Attempt(task))

    def _submit(self, attempt: _Attempt) -> None:
        barred = {failure.worker for failure in attempt.failed}
        allowed = [worker for worker in worker_threads(self._client) if worker not in barred] if barred else None
        future = self._client.submit(
            run_task,
            self._plugin,
            attempt.task,
            key=f"{self._plugin}-{attempt.task.name}-{len(attempt.failed)}",
            workers=allowed,
            # If those have gone, a worker that failed at it is asked again rather than nobody.
            allow_other_workers=allowed is not None,
            pure=False,
        )
        self._attempts[future] = attempt

    def _receive(self, future: Future, attempt: _Attempt) -> None:
        try:
            result = future.result()  # if it was lost with its worker, that of another one
        except KilledWorker as error:
            deaths = error.allowed_failures + 1
            raise LaneError(f"{deaths} workers died while they were doing {attempt.task.name}", _RESUME) from error
        except Exception as error:  # of any type: Dask raises what the task raised
            raise LaneError(f"{attempt.task.name}: {type(error).__name__}: {error}", _RESUME) from error
        if isinstance(result, TaskDone):
            self._store(attempt.task, result)
            return
        attempt.failed.append(result)
        self._on_event(WorkerFailed(worker=result.worker, detail=result.detail))
        others = worker_threads(self._client).keys() - {failure.worker for failure in attempt.failed}
        if len(attempt.failed) >= TRIES or not others:
            raise LaneError(
                f"{len(attempt.failed)} workers failed at {attempt.task.name}, the last one {result.worker}: "
                f"{result.detail}",
                result.hint or _RESUME,
            )
        self._submit(attempt)

    def _store(self, task: Task, result: TaskDone) -> None:
        """Store the samples of a task as one part. Raises StoreError if they are not those of the task."""
        self._lanes.compare(result.facts)
        self._record(result.facts)
        lane = self._numbers.setdefault((result.worker, result.lane), len(self._numbers))
        rows = unpack_samples(result.table).with_columns(lane=pl.lit(lane, pl.Int64))
        self._refuse_others(task, rows)
        self._run.add_part(lane, rows)
        self._finished.add(rows)
        for row in result.calibrations:
            self._run.add_calibration({**row, "lane": lane})
        for detail in result.failures:
            self._on_event(WorkerFailed(worker=result.worker, detail=detail))
        failed = rows.filter(~pl.col("outcome").is_in(NO_FAILURES)).height
        workers = len(worker_threads(self._client))
        self._on_event(PartTaken(samples=rows.height, failed=failed, workers=workers, waiting=len(self._attempts)))

    def _refuse_others(self, task: Task, rows: pl.DataFrame) -> None:
        asked = {(fetch.cell_id, fetch.repetition) for block in task.blocks(self._plan) for fetch in block}
        given = rows.select("cell_id", "repetition").rows()
        if len(given) != len(asked) or set(given) != asked:
            raise StoreError(
                f"{task.name} came back with {len(given)} samples that are not the {len(asked)} asked for",
                "please report this; continue with --resume",
            )
