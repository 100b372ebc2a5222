"""Start or resume a run of a published study: bed, CPU, sweeps, verdicts, report."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pqbed.beds.choose import default_lanes
from pqbed.errors import PqbedError, SpecError
from pqbed.plan import Plan
from pqbed.reproduce import STUDY_FILE, plan_study, read_study, study_to_toml, write_study_report
from pqbed.spec.study import Study
from pqbed.spec.study_text import ReadStudy, study_from, study_names, study_table
from pqbed.store.manifest import Manifest, resume_manifest, start_manifest
from pqbed.store.run import Run, create_run, open_run
from pqbed_cli.conducting import conduct, say_interrupted
from pqbed_cli.planning import estimate_plan
from pqbed_cli.render.output import say
from pqbed_cli.render.plan import estimate_line
from pqbed_cli.render.verdicts import print_answer
from pqbed_cli.reporting import say_below_floor, summarise_run
from pqbed_cli.runs import find_run, refuse_unwritable
from pqbed_cli.taking import Taken, take_bed, take_native_bed

# Fetches of each profile and size, on each of several lanes, for the CPU term: done in seconds.
CPU_FETCHES = 30
RUN_OPTIONS = ("bed", "clock", "lanes", "out", "calibrate")
# What would change what is measured.
FIXED = ("samples", "seed", "bed", "clock", "calibrate")


def start_study(typed: Mapping[str, Any]) -> int:
    """Run the study that was typed in a new run directory; return the exit code."""
    if typed["study"] is None:
        raise SpecError("no study is named", f"choose from {', '.join(study_names())}")
    read = study_from(study_table(typed["study"]), _layer(typed))
    refuse_unwritable(read.options.out)
    with _bed(read.options.bed, read.options.clock, typed) as taken:
        artefacts = taken.prepare()
        with create_run(
            Path(read.options.out),
            read.study.name,
            _manifest(read.study, taken, artefacts),
            {STUDY_FILE: study_to_toml(read.table)},
        ) as run:
            return _conduct(read, taken, run, typed)


def resume_study(typed: Mapping[str, Any]) -> int:
    """Go on with a run of a study; return the exit code."""
    path = find_run(typed["resume"], typed["out"] or "results")
    with open_run(path) as run:
        read, manifest = read_study(path), run.manifest
        _refuse_changes(typed, read.study)
        lanes = study_from(read.table, _layer(typed)).options.lanes
        read = replace(read, options=replace(read.options, lanes=lanes))
        with _bed(manifest.bed, manifest.clock, typed) as taken:
            taken.prepare()
            run.write_manifest(resume_manifest(manifest, sys.argv))
            return _conduct(read, taken, run, typed)


def _conduct(read: ReadStudy, taken: Taken, run: Run, typed: Mapping[str, Any]) -> int:
    """Measure what is missing, judge it, write the report and print the verdicts."""
    study, json_output = read.study, typed["json_output"]
    plan = plan_study(study)
    lanes = min(read.options.lanes or default_lanes(taken.bed.name, taken.bed.clock), study.samples)
    calibrate = read.options.calibrate
    expected = estimate_plan(plan, taken.bed.clock, lanes, len(run.finished()), calibrate=calibrate)
    say(estimate_line(expected), json_output=json_output)
    _measure_cpu(plan, taken, run, typed)
    go_on = f"pqbed reproduce --resume {run.path}"
    outcome = conduct(plan, lanes, taken.bed, run, options=read.options, go_on=go_on, json_output=json_output)
    run.write_summary(summarise_run(run))
    print_answer(run, study, write_study_report(run, study), json_output=json_output)
    say_below_floor(outcome.below_floor, json_output=json_output)
    say_interrupted(outcome, go_on)
    return outcome.exit_code


def _measure_cpu(plan: Plan, taken: Taken, run: Run, typed: Mapping[str, Any]) -> None:
    """Measure the CPU term where the bed's clock leaves it out, once a run. Where that cannot be done, say so."""
    from pqbed.runner.cpu import measure_cpu  # noqa: PLC0415 - only with a virtual clock

    if taken.bed.clock == "real" or taken.bed.name == "fake" or not run.cpu().collect().is_empty():
        return
    sizes = sorted({cell.workload.size_bytes for cell in plan.cells.values()})
    try:
        with take_native_bed(ca_bundle=typed["ca_bundle"]) as native:
            native.prepare()
            say("CPU: measuring it natively, for some seconds", json_output=typed["json_output"])
            run.write_cpu(measure_cpu(native.bed, plan.profiles, sizes, CPU_FETCHES, seed=plan.seed))
    except PqbedError as error:
        hint = f" ({error.hint})" if error.hint else ""
        say(f"CPU: not measured, so times are those of the network alone: {error.message}{hint}", json_output=True)


def _manifest(study: Study, taken: Taken, artefacts: dict[str, str]) -> Manifest:
    again = ["pqbed", "reproduce", study.name, "--samples", str(study.samples), "--seed", str(study.seed)]
    return start_manifest(
        command=sys.argv,
        bed=taken.bed.name,
        clock=taken.bed.clock,
        seed=study.seed,
        artefacts=artefacts,
        run_again=shlex.join(again),
    )


def _layer(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed in the form of a study's settings."""
    run = {name: typed[name] for name in RUN_OPTIONS if typed[name] is not None}
    return {"samples": typed["samples"], "seed": typed["seed"], **({"run": run} if run else {})}


def _refuse_changes(typed: Mapping[str, Any], study: Study) -> None:
    given = [name for name in FIXED if typed[name] is not None]
    if given:
        raise SpecError(
            f"--resume goes on with a run as it was planned, and --{given[0]} would change it",
            f"leave --{given[0]} out, or start a new run without --resume",
        )
    if typed["study"] not in (None, study.name):
        raise SpecError(f"the run is one of {study.name}, not of {typed['study']}", "leave the name of the study out")


def _bed(bed: str, clock: str | None, typed: Mapping[str, Any]) -> Any:
    return take_bed(bed, clock, json_output=typed["json_output"], ca_bundle=typed["ca_bundle"])
