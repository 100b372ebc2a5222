"""Carry out a plan with progress; say how to go on wherever it ends early."""

import contextlib
import time
from collections.abc import Iterator

from pqbed.beds.bed import Bed
from pqbed.duration.forecast import Forecast
from pqbed.plan import Plan
from pqbed.runner import CheckpointReached, LaneFailed, LinkCalibrated, SampleTaken, SweepEvent, SweepOutcome, run_sweep
from pqbed.spec.options import RunOptions
from pqbed.spec.sample import NO_FAILURES
from pqbed.stats.precision import half_widths
from pqbed.store.run import Run
from pqbed_cli.exits import INTERRUPTED
from pqbed_cli.guarding import guard_lanes
from pqbed_cli.render.output import say
from pqbed_cli.render.progress import SweepProgress, show_progress


def conduct(
    plan: Plan, lanes: int, bed: Bed, run: Run, *, options: RunOptions, go_on: str, json_output: bool
) -> SweepOutcome:
    """Measure what `run` lacks of `plan`. `go_on` is the command that takes it up again."""
    say(f"run: {run.path}", json_output=json_output)
    try:
        if options.guard and bed.clock == "real" and lanes > 1:
            lanes = guard_lanes(plan, bed, run, lanes, json_output=json_output)
        forecast = Forecast(lanes, plan) if plan.precision_ppm is not None else None
        with _progress(plan, run, forecast) as progress:
            return run_sweep(
                plan,
                bed,
                run,
                lanes=lanes,
                calibrate=options.calibrate,
                on_event=lambda event: _tell(progress, forecast, event),
                half_widths=half_widths,
            )
    except BaseException:
        if not run.discard():
            say(f"go on with: {go_on}", json_output=True)
        raise


def say_interrupted(outcome: SweepOutcome, go_on: str) -> None:
    """Say how far an interrupted run has come."""
    if outcome.exit_code == INTERRUPTED:
        say(f"interrupted after {outcome.taken} of {outcome.planned} samples; go on with: {go_on}", json_output=True)


@contextlib.contextmanager
def _progress(plan: Plan, run: Run, forecast: Forecast | None) -> Iterator[SweepProgress]:
    progress = show_progress(plan.fetch_count, len(run.finished()), forecast.seconds_left if forecast else None)
    with contextlib.closing(progress):
        yield progress


def _tell(progress: SweepProgress, forecast: Forecast | None, event: SweepEvent) -> None:
    if isinstance(event, SampleTaken):
        if forecast is not None:
            forecast.taken(event.sample.lane, event.sample.fetch.cell_id, time.monotonic())
        progress.sample(failed=event.sample.timings.outcome not in NO_FAILURES)
    elif isinstance(event, CheckpointReached) and forecast is not None:
        forecast.look(event.left)
        progress.expect(event.expected)
    elif isinstance(event, LaneFailed):
        progress.note(f"lane {event.lane} failed and is started again: {event.detail}")
    elif isinstance(event, LinkCalibrated) and event.deviations:
        progress.note(f"wrong link: {'; '.join(deviation.text for deviation in event.deviations)}")
