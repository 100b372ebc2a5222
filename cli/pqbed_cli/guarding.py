"""See how many lanes this host keeps apart, say it and keep it with the run."""

from dataclasses import replace

from pqbed.beds.bed import Bed
from pqbed.errors import LaneError
from pqbed.plan import Plan
from pqbed.runner.lane_check import check_lanes
from pqbed.stats.lane_check import compare_lanes
from pqbed.store.manifest import LaneCheck
from pqbed.store.run import Run
from pqbed_cli.render.output import say


def guard_lanes(plan: Plan, bed: Bed, run: Run, lanes: int, *, json_output: bool) -> int:
    """Return the lanes to take, of `lanes`; all where nothing is left to measure, or where it cannot be seen."""
    if len(run.finished()) >= plan.fetch_count:
        return lanes
    say(f"lanes: seeing whether {lanes} disturb one another, for some seconds", json_output=True)
    try:
        found = check_lanes(plan, bed, lanes, compare_lanes)
    except LaneError as error:
        say(
            f"lanes: {lanes}, but whether they disturb one another could not be seen: {error.message}", json_output=True
        )
        return lanes
    manifest = run.manifest
    run.write_manifest(replace(manifest, lane_checks=(*manifest.lane_checks, found)))
    say(check_line(found), json_output=json_output)
    return found.taken


def check_line(check: LaneCheck) -> str:
    """Return what was seen in one line."""
    last = next(trial for trial in check.trials if trial.lanes == check.asked)
    if check.taken == check.asked:
        return f"lanes: {check.taken} do not disturb one another (p50 {_change(last.p50_change_pct)} against one alone)"
    return (
        f"lanes: {check.taken} of {check.asked}, for more disturb one another here: at {check.asked}"
        f" p50 is {_change(last.p50_change_pct)} against one alone{_above(last.p90_ns, last.p90_alone_high_ns)}"
    )


def _change(percent: float | None) -> str:
    return "not known" if percent is None else f"{percent:+.1f} %"


def _above(p90_ns: float | None, high_ns: float | None) -> str:
    if p90_ns is None or high_ns is None or p90_ns <= high_ns:
        return ""
    return f", p90 {100 * (p90_ns / high_ns - 1):.1f} % above its interval"
