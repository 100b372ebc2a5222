"""How many lanes this host keeps apart: tested before a run on the real clock, and recorded with it."""

from dataclasses import replace

from pqbed.beds.bed_interface import Bed
from pqbed.errors import LaneError
from pqbed.plan import Plan
from pqbed.runner.lane_interference import check_lanes
from pqbed.stats.lane_interference import compare_lanes
from pqbed.store.run_directory import Run
from pqbed_cli.render.lane_interference import check_line
from pqbed_cli.render.streams import note


def undisturbed_lanes(plan: Plan, bed: Bed, run: Run, lanes: int) -> int:
    """Return how many of `lanes` to use; all of them if nothing is left to measure, or if the test fails."""
    if len(run.finished()) >= plan.fetch_count:
        return lanes
    note(f"testing for some seconds whether {lanes} lanes slow each other down")
    try:
        check = check_lanes(plan, bed, lanes, compare_lanes)
    except LaneError as error:
        note(f"lanes: {lanes}, but the test whether they slow each other down failed: {error.message}")
        return lanes
    manifest = run.manifest
    run.write_manifest(replace(manifest, lane_checks=(*manifest.lane_checks, check)))
    note(check_line(check))
    return check.taken
