"""From a request to a plan: the bed it will run on, its lanes and samples, and how long that takes."""

from dataclasses import replace

from pqbed.beds.bed_interface import BedName
from pqbed.beds.choose_bed import CLOCKS, bed_for_kernel, decide_bed, default_lanes
from pqbed.duration.checkpoints import checkpoints
from pqbed.duration.estimate import DEFAULT_BUDGET_S, calibration_seconds, estimate_seconds, samples_for_budget
from pqbed.errors import EngineError, HostError
from pqbed.plan import Plan, plan_sweep
from pqbed.spec.run_options import Calibrate, Clock, RunOptions
from pqbed.spec.sweep import Sweep
from pqbed.spec.value_parsers import naming
from pqbed_cli.options import PlanOptions
from pqbed_cli.workflow_results import PlanEstimate, Preview, SettledSweep
from pqbed_cli.workflows.cluster import expect_lanes
from pqbed_cli.workflows.refuse_unknown_algorithms import refuse_unknown_algorithms
from pqbed_cli.workflows.sweep_request import Request, read_request


def preview(options: PlanOptions) -> Preview:
    """Return what `sweep` would do with the same options; if nothing runs here, what it would do on another host."""
    request = read_request(options)
    bed, clock, reason = _expect_bed(request.options)
    lanes = expect_lanes(options, clock, precise=request.sweep.precision_ppm is not None)
    settled = settle(request, bed, clock, lanes)
    refuse_unknown_algorithms(settled.plan.profiles)
    return Preview(bed_reason=reason, settled=settled, estimate=estimate(settled))


def settle(request: Request, bed: BedName, clock: Clock, cluster_lanes: int | None = None) -> SettledSweep:
    """Decide lanes and samples for `bed`; on a cluster there are `cluster_lanes`."""
    lanes = cluster_lanes or request.options.lanes or default_lanes(bed, clock)
    sweep = request.sweep
    if not request.samples_chosen:
        sweep = replace(sweep, samples=_samples(sweep, clock, lanes, request.options.calibrate))
    if cluster_lanes is None:
        lanes = min(lanes, sweep.samples)  # a lane takes whole blocks: more lanes than blocks would stay idle
    options = replace(request.options, bed=bed, clock=clock)
    return SettledSweep(sweep=sweep, options=options, plan=plan_sweep(sweep), bed=bed, clock=clock, lanes=lanes)


def estimate(settled: SettledSweep, finished: int = 0) -> PlanEstimate:
    """Estimate what is left when `finished` fetches have their sample."""
    calibrate = settled.options.calibrate
    return estimate_plan(settled.plan, settled.clock, settled.lanes, finished, calibrate=calibrate)


def estimate_plan(
    plan: Plan, clock: Clock, lanes: int, finished: int = 0, *, calibrate: Calibrate = "off"
) -> PlanEstimate:
    """Estimate what is left of `plan`. Links are calibrated before the first sample, or by every lane."""
    left = max(0.0, 1 - finished / plan.fetch_count)
    least = None
    if plan.precision_ppm is not None:
        first = replace(plan, samples=checkpoints(plan.samples)[0], precision_ppm=None)
        least = estimate_plan(first, clock, lanes, finished, calibrate=calibrate)
    when = "off" if calibrate == "once" and finished else calibrate
    calibration_s = calibration_seconds(plan, clock, lanes, when)
    return PlanEstimate(
        cells=len(plan.cells),
        samples=plan.samples,
        fetches=max(0, plan.fetch_count - finished),
        lanes=lanes,
        seconds=left * estimate_seconds(plan, clock, lanes) + calibration_s,
        precision_ppm=plan.precision_ppm,
        least=least,
        links=0 if when == "off" else len(plan.links),
        calibration_seconds=calibration_s,
    )


def _expect_bed(options: RunOptions) -> tuple[BedName, Clock, str]:
    try:
        with naming("--kernel"):
            choice = bed_for_kernel(options.bed, options.kernel)
        with naming("--clock"):
            bed, clock, reason = decide_bed(choice, options.clock)
    except (HostError, EngineError) as error:
        bed = "uml" if options.bed == "auto" else options.bed
        clock = options.clock or CLOCKS[bed][0]
        return bed, clock, f"{bed} ({clock} clock), on another host: {error.message}"
    return bed, clock, f"{bed} ({clock} clock): {reason}"


def _samples(sweep: Sweep, clock: Clock, lanes: int, calibrate: Calibrate) -> int:
    """Return as many samples as the budget has room for once links are calibrated; half of it is theirs at least."""
    beforehand_s = calibration_seconds(plan_sweep(replace(sweep, samples=1)), clock, lanes, calibrate)
    return samples_for_budget(sweep, clock, lanes, max(DEFAULT_BUDGET_S / 2, DEFAULT_BUDGET_S - beforehand_s))
