"""From a request to a plan: the bed it will run on, its lanes and samples, and how long that takes."""

from dataclasses import dataclass, replace

from pqbed.beds.bed import BedName
from pqbed.beds.choose import CLOCKS, decide_bed, default_lanes
from pqbed.duration.checkpoints import checkpoints
from pqbed.duration.estimate import DEFAULT_BUDGET_S, calibration_seconds, estimate_seconds, samples_for_budget
from pqbed.errors import EngineError, HostError
from pqbed.plan import Plan, plan_sweep
from pqbed.spec.options import Calibrate, Clock
from pqbed.spec.sweep import Sweep
from pqbed_cli.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedBed:
    """The bed that a sweep would take, and why."""

    name: BedName
    clock: Clock
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A plan with everything decided that the request left open. `request` names the bed and clock taken."""

    request: Request
    plan: Plan
    bed: BedName
    clock: Clock
    lanes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a plan amounts to. `seconds` is wall time, without making artefacts.

    With `precision_ppm` the samples, fetches and seconds are the most; `least` are those up to the first look.
    `links` are those to be calibrated, within `calibration_seconds` of it.
    """

    cells: int
    samples: int
    fetches: int
    lanes: int
    seconds: float
    precision_ppm: int | None = None
    least: "Estimate | None" = None
    links: int = 0
    calibration_seconds: float = 0.0


def expect_bed(request: Request) -> ExpectedBed:
    """Return what `sweep` would take here; where nothing runs here, plan for another host."""
    choice, clock = request.options.bed, request.options.clock
    try:
        name, taken, reason = decide_bed(choice, clock)
    except (HostError, EngineError) as error:
        name = "uml" if choice == "auto" else choice
        taken = clock or CLOCKS[name][0]
        return ExpectedBed(name=name, clock=taken, reason=f"{name} ({taken} clock), on another host: {error.message}")
    return ExpectedBed(name=name, clock=taken, reason=f"{name} ({taken} clock): {reason}")


def settle(request: Request, bed: BedName, clock: Clock) -> Settled:
    """Decide lanes and samples for `bed`."""
    lanes = request.options.lanes or default_lanes(bed, clock)
    sweep = request.sweep
    if not request.samples_chosen:
        sweep = replace(sweep, samples=_samples(sweep, clock, lanes, request.options.calibrate))
    lanes = min(lanes, sweep.samples)  # a lane takes whole blocks: more lanes than blocks would stay idle
    options = replace(request.options, bed=bed, clock=clock)
    settled = Request(sweep=sweep, options=options, samples_chosen=True)
    return Settled(request=settled, plan=plan_sweep(sweep), bed=bed, clock=clock, lanes=lanes)


def estimate(settled: Settled, finished: int = 0) -> Estimate:
    """Estimate what is left when `finished` fetches have their sample."""
    calibrate = settled.request.options.calibrate
    return estimate_plan(settled.plan, settled.clock, settled.lanes, finished, calibrate=calibrate)


def estimate_plan(plan: Plan, clock: Clock, lanes: int, finished: int = 0, *, calibrate: Calibrate = "off") -> Estimate:
    """Estimate what is left of `plan`. Links are calibrated before the first sample, or by every lane anew."""
    left = max(0.0, 1 - finished / plan.fetch_count)
    least = None
    if plan.precision_ppm is not None:
        first = replace(plan, samples=checkpoints(plan.samples)[0], precision_ppm=None)
        least = estimate_plan(first, clock, lanes, finished, calibrate=calibrate)
    when = "off" if calibrate == "once" and finished else calibrate
    calibration_s = calibration_seconds(plan, clock, lanes, when)
    return Estimate(
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


def _samples(sweep: Sweep, clock: Clock, lanes: int, calibrate: Calibrate) -> int:
    """Return as many samples as the budget has room for once links are calibrated; half of it is theirs at least."""
    beforehand_s = calibration_seconds(plan_sweep(replace(sweep, samples=1)), clock, lanes, calibrate)
    return samples_for_budget(sweep, clock, lanes, max(DEFAULT_BUDGET_S / 2, DEFAULT_BUDGET_S - beforehand_s))
