"""Carry out a plan with progress; say how to go on wherever it ends early."""

import contextlib
from collections.abc import Iterator

from pqbed.beds.bed import Bed
from pqbed.plan import Plan
from pqbed.runner import LaneFailed, LinkCalibrated, SampleTaken, SweepEvent, SweepOutcome, run_sweep
from pqbed.spec.options import Calibrate
from pqbed.spec.sample import NO_FAILURES
from pqbed.store.run import Run
from pqbed_cli.exits import INTERRUPTED
from pqbed_cli.render.output import say
from pqbed_cli.render.progress import SweepProgress, show_progress


def conduct(
    plan: Plan, lanes: int, bed: Bed, run: Run, *, calibrate: Calibrate, go_on: str, json_output: bool
) -> SweepOutcome:
    """Measure what `run` lacks of `plan`. `go_on` is the command that takes it up again."""
    say(f"run: {run.path}", json_output=json_output)
    try:
        with _progress(plan, run) as progress:
            return run_sweep(
                plan, bed, run, lanes=lanes, calibrate=calibrate, on_event=lambda event: _tell(progress, event)
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
def _progress(plan: Plan, run: Run) -> Iterator[SweepProgress]:
    progress = show_progress(plan.fetch_count, len(run.finished()))
    with contextlib.closing(progress):
        yield progress


def _tell(progress: SweepProgress, event: SweepEvent) -> None:
    if isinstance(event, SampleTaken):
        progress.sample(failed=event.sample.timings.outcome not in NO_FAILURES)
    elif isinstance(event, LaneFailed):
        progress.note(f"lane {event.lane} failed and is started again: {event.detail}")
    elif isinstance(event, LinkCalibrated) and event.deviations:
        progress.note(f"wrong link: {'; '.join(deviation.text for deviation in event.deviations)}")
