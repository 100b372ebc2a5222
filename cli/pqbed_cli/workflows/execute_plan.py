"""A plan executed with progress; if it ends early, the command that resumes it."""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator

from pqbed.beds.bed_interface import Bed
from pqbed.duration.forecast import Forecast
from pqbed.plan import Plan
from pqbed.runner import (
    CheckpointReached,
    LaneFailed,
    LinkCalibrated,
    PartTaken,
    SampleTaken,
    SweepEvent,
    SweepOutcome,
    WorkerFailed,
    run_sweep,
)
from pqbed.spec.metric import METRICS
from pqbed.spec.run_options import RunOptions
from pqbed.spec.sample import NO_FAILURES
from pqbed.stats.comparison_precision import half_widths
from pqbed.store.run_directory import Run
from pqbed_cli.exits import INTERRUPTED
from pqbed_cli.render.streams import note
from pqbed_cli.render.sweep_progress import SweepProgress, show_progress
from pqbed_cli.workflows.lane_interference import undisturbed_lanes


def execute_plan(
    plan: Plan, lanes: int, bed: Bed, run: Run, *, options: RunOptions, resume_command: str
) -> SweepOutcome:
    """Measure what `run` lacks of `plan`."""
    note(f"run: {run.path}")
    with noting_resumption(run, resume_command):
        if options.lane_check and bed.clock == "real" and lanes > 1:
            lanes = undisturbed_lanes(plan, bed, run, lanes)
        forecast = Forecast(lanes, plan) if plan.precision_ppm is not None else None
        with showing_progress(plan, run, forecast) as on_event:
            return run_sweep(
                plan,
                bed,
                run,
                lanes=lanes,
                calibrate=options.calibrate,
                on_event=on_event,
                half_widths=functools.partial(half_widths, quantity=METRICS[plan.metric].quantity),
            )


def interruption(outcome: SweepOutcome, resume_command: str) -> str:
    """Return how far an interrupted run has come; nothing of one that was not interrupted."""
    if outcome.exit_code != INTERRUPTED:
        return ""
    return f"interrupted after {outcome.taken} of {outcome.planned} samples; resume with: {resume_command}"


@contextlib.contextmanager
def noting_resumption(run: Run, resume_command: str) -> Iterator[None]:
    """Print how to resume `run` if the block raises; a run without samples is removed."""
    try:
        yield
    except BaseException:
        note("nothing was measured: the run is removed" if run.discard() else f"resume with: {resume_command}")
        raise


@contextlib.contextmanager
def showing_progress(plan: Plan, run: Run, forecast: Forecast | None) -> Iterator[Callable[[SweepEvent], None]]:
    """Yield what shows an event."""
    progress = show_progress(plan.fetch_count, len(run.finished()), forecast.seconds_left if forecast else None)
    with contextlib.closing(progress):
        yield lambda event: _show_event(progress, forecast, event)


def _show_event(progress: SweepProgress, forecast: Forecast | None, event: SweepEvent) -> None:
    if isinstance(event, SampleTaken):
        if forecast is not None:
            forecast.taken(event.sample.lane, event.sample.fetch.cell_id, time.monotonic())
        progress.taken(1, failed=int(event.sample.timings.outcome not in NO_FAILURES))
    elif isinstance(event, PartTaken):
        progress.taken(event.samples, failed=event.failed, workers=event.workers, tasks=event.waiting)
    elif isinstance(event, WorkerFailed):
        progress.note(f"worker {event.worker}: {event.detail}")
    elif isinstance(event, CheckpointReached) and forecast is not None:
        forecast.look(event.left)
        progress.expect(event.expected)
    elif isinstance(event, LaneFailed):
        progress.note(f"lane {event.lane} failed and is started again: {event.detail}")
    elif isinstance(event, LinkCalibrated) and event.deviations:
        progress.note(f"wrong link: {'; '.join(deviation.text for deviation in event.deviations)}")
