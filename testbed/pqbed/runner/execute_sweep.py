"""Execution of a sweep: lanes in threads, samples straight to the store, events to the caller."""

import contextlib
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from pqbed.agent.lane_facts import LaneFacts
from pqbed.beds.bed_interface import Bed
from pqbed.errors import StoreError
from pqbed.plan import Plan, link_id
from pqbed.runner.adaptive_sampling import AdaptiveBlocks, MeasureWidths
from pqbed.runner.block_queue import BlockQueue, Blocks
from pqbed.runner.cpu_contention import PressureWatch
from pqbed.runner.lane_worker_pool import OnEvent, WorkerPool
from pqbed.runner.sweep_events import SweepStarted
from pqbed.spec.run_options import Calibrate
from pqbed.spec.sample import NO_FAILURES
from pqbed.stats.below_floor import Below, find_below_floor
from pqbed.stats.expected_times import bound_cells
from pqbed.stats.link_verdicts import confirm_links, link_verdicts, mark_links
from pqbed.store.cells_table import tabulate_cells
from pqbed.store.manifest import Pressure, utc_now
from pqbed.store.run_directory import Run

EXIT_FAILED_CELLS = 4
EXIT_INTERRUPTED = 130

State = Literal["finished", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOutcome:
    """How a sweep ended. Counts are of the whole run, including what was done before it was resumed.

    `lost` fetches were taken away by accidents of the host; they are taken, and neither ok nor failed.
    With a precision, `planned` is the number of fetches known to be needed when it ended.
    A failed cell has no good sample, or one over a link other than the one asked for: according to the kernel, to
    calibration (`wrong_links`), or because it is faster than physics allows (`below_floor`). Unsupported cells do not
    count as failed.
    """

    state: State
    planned: int
    taken: int
    not_ok: int
    lost: int = 0
    failed_cells: tuple[str, ...]
    wrong_links: tuple[str, ...] = ()
    below_floor: tuple[Below, ...] = ()

    @property
    def exit_code(self) -> int:
        if self.state == "interrupted":
            return EXIT_INTERRUPTED
        return EXIT_FAILED_CELLS if self.failed_cells or self.below_floor else 0


def run_sweep(
    plan: Plan,
    bed: Bed,
    run: Run,
    *,
    lanes: int,
    calibrate: Calibrate = "once",
    on_event: OnEvent = lambda _: None,
    stop: threading.Event | None = None,
    half_widths: MeasureWidths | None = None,
) -> SweepOutcome:
    """Do all fetches of `plan` that `run` has no sample of, on `lanes` lanes of a prepared `bed`.

    A plan with a precision needs `half_widths`; comparisons that are precise enough are not fetched any further.
    Ends early on KeyboardInterrupt or when `stop` is set: samples are kept, and the same call on the same run continues
    from there. Raises LaneError if a lane does not come back, StoreError if a sample cannot be stored, HostError or
    EngineError if a lane cannot be opened; in each case all lanes are closed and the journals sealed. `on_event` is
    called in the caller's thread. `bed` and `run` stay open.
    """
    run.claim()
    finished = run.finished()
    refuse_other_cells(plan, {cell_id for cell_id, _ in finished}, run)
    blocks: Blocks = BlockQueue(plan, finished)
    if plan.precision_ppm is not None:
        assert half_widths is not None
        blocks = AdaptiveBlocks(plan, run, finished, half_widths)
    pressure = PressureWatch()
    record = FactsRecord(plan, run).record
    pool = WorkerPool(plan, bed, run, blocks, lanes, pressure=pressure, record=record, calibrate=calibrate)
    try:
        on_event(SweepStarted(planned=blocks.planned, finished=len(finished), lanes=lanes))
        if blocks.checkpoint is not None:
            on_event(blocks.checkpoint)
        for event in pool.run(stop or threading.Event()):
            on_event(event)
    except KeyboardInterrupt:
        pass  # `shut_down` stops the lanes; the outcome says so
    finally:
        try:
            pool.shut_down(on_event)
        finally:
            pressure.close()
            with _suppressed_after(pool.error):
                run.seal()
    if pool.error is not None:
        raise pool.error
    return finish_run(plan, run, blocks.planned, pressure.whole())


def refuse_other_cells(plan: Plan, sampled: Collection[str], run: Run) -> None:
    """Raise StoreError if `run` has samples of cells that `plan` has not. `sampled`: ids of its cells with samples."""
    others = set(sampled) - plan.cells.keys()
    if others:
        raise StoreError(
            f"{run.path} holds samples of {len(others)} cells that are not in this sweep",
            "resume a run with the sweep.toml in its folder, or start a new run",
        )


class FactsRecord:
    """The facts that only an open lane knows, stored once: before the first sample, whatever ends the sweep then."""

    def __init__(self, plan: Plan, run: Run) -> None:
        self._plan = plan
        self._run = run
        self._recorded = False
        self._lock = threading.Lock()

    def record(self, facts: LaneFacts) -> None:
        """Store the facts of the first lane that opens; the lanes are alike. Thread-safe."""
        with self._lock:
            if not self._recorded:
                _record_facts(self._plan, self._run, facts)
                self._recorded = True


def _record_facts(plan: Plan, run: Run, facts: LaneFacts) -> None:
    wire_bytes = {served.profile.name: served.certificate_wire_bytes for served in facts.served}
    client_wire_bytes = {served.profile.name: served.client_certificate_wire_bytes for served in facts.served}
    run.write_cells(bound_cells(tabulate_cells(plan, wire_bytes, client_wire_bytes, facts.sizes), plan.cells))
    manifest = replace(run.manifest, kernel=facts.kernel, versions=facts.versions, sysctls=facts.sysctls)
    run.write_manifest(manifest)


def finish_run(plan: Plan, run: Run, planned: int, pressure: Pressure) -> SweepOutcome:
    """Complete the cells table and the manifest from the samples, and count the samples."""
    cells = run.cells().collect()
    if cells.is_empty():
        cells = tabulate_cells(plan, {})
    run.write_cells(mark_links(confirm_links(cells, run.samples()), run.calibration()))
    outcome = replace(_count(plan, run, planned), below_floor=tuple(find_below_floor(run.samples(), cells)))
    manifest = run.manifest
    pressures = (*manifest.pressure, pressure)
    run.write_manifest(replace(manifest, ended=utc_now(), state=outcome.state, pressure=pressures))
    return outcome


def _count(plan: Plan, run: Run, planned: int) -> SweepOutcome:
    ok, wrong_link = pl.col("outcome") == "ok", pl.col("outcome") == "link_mismatch"
    unsupported = pl.col("outcome") == "unsupported"
    fine = pl.col("outcome").is_in(NO_FAILURES)
    counts = (
        run.samples()
        .group_by("cell_id")
        .agg(
            n=pl.len(),
            n_fine=fine.sum(),
            n_lost=(pl.col("outcome") == "lost").sum(),
            failed=~(ok.any() | unsupported.all()) | wrong_link.any(),
        )
    )
    rows = {row["cell_id"]: row for row in counts.collect().to_dicts()}
    taken = sum(row["n"] for row in rows.values())
    wrong = tuple(link_verdicts(run.calibration()).filter("link_wrong")["link_id"])
    on_wrong = {cell_id for cell_id, cell in plan.cells.items() if wrong and link_id(cell.link, cell.tcp) in wrong}
    return SweepOutcome(
        state="finished" if taken >= planned else "interrupted",
        planned=planned,
        taken=taken,
        not_ok=taken - sum(row["n_fine"] for row in rows.values()),
        lost=sum(row["n_lost"] for row in rows.values()),
        failed_cells=tuple(
            cell_id for cell_id in plan.cells if cell_id in on_wrong or (cell_id in rows and rows[cell_id]["failed"])
        ),
        wrong_links=wrong,
    )


@contextlib.contextmanager
def _suppressed_after(error: BaseException | None) -> Iterator[None]:
    """Suppress a StoreError if `error`, which came first, is to be raised."""
    try:
        yield
    except StoreError:
        if error is None:
            raise
