"""A published study run or resumed: parse, plan, execute, store, verdicts, report."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pqbed.address_space import DRAWING_BYTES, require_address_space
from pqbed.beds.bed_interface import Bed
from pqbed.beds.choose_bed import default_lanes
from pqbed.errors import PqbedError, SpecError
from pqbed.plan import Plan
from pqbed.reproduce import STUDY_FILE, plan_study, read_study, study_hash, study_to_toml
from pqbed.reproduce.write_study_report import write_study_report
from pqbed.spec.study_toml import ReadStudy, study_from, study_names, study_table
from pqbed.spec.sweep_toml import sweep_from
from pqbed.store.manifest import Manifest, resume_manifest, start_manifest, unusual_kernel
from pqbed.store.provenance import refuse_other_artefacts, refuse_other_plan
from pqbed.store.run_directory import Run, create_run, open_run
from pqbed_cli.options import StudyOptions
from pqbed_cli.render.plan_table import estimate_line
from pqbed_cli.render.streams import note
from pqbed_cli.workflow_results import StudyResult
from pqbed_cli.workflows.execute_plan import execute_plan, interruption
from pqbed_cli.workflows.find_run import find_run, refuse_unwritable
from pqbed_cli.workflows.open_bed import open_bed, open_native_bed
from pqbed_cli.workflows.plan import estimate_plan
from pqbed_cli.workflows.show import summarise_run
from pqbed_cli.workflows.sweep_request import given, refuse_changes, resumed_options, run_table

# Fetches of each profile and size, on each of several lanes, for the CPU term: done in seconds.
CPU_FETCHES = 30


def reproduce(options: StudyOptions) -> StudyResult:
    """Run the study in a new run directory, or resume the run that is named."""
    require_address_space(DRAWING_BYTES)  # before anything is measured
    return start_study(options) if options.resume is None else resume_study(options, options.resume)


def start_study(options: StudyOptions) -> StudyResult:
    if options.study is None:
        raise SpecError("no study is named", f"choose from {', '.join(study_names())}")
    read = study_from(study_table(options.study), _settings(options))
    refuse_unwritable(read.options.out)
    asked = read.options
    with open_bed(asked.bed, asked.clock, kernel=asked.kernel, ca_bundle=options.ca_bundle) as opened:
        artefacts = opened.prepare()
        with _create_run(read, opened.bed, artefacts) as run:
            return _measure(read, opened.bed, run, options.ca_bundle)


def resume_study(options: StudyOptions, name: str) -> StudyResult:
    """Resume a run of a study. `name`: its folder, or latest."""
    refuse_changes(options)
    path = find_run(name, options.out)
    with open_run(path) as run:
        read, manifest = read_study(path), run.manifest
        if options.study not in {None, read.study.name}:
            raise SpecError(
                f"the run is one of {read.study.name}, not of {options.study}", "drop the name of the study"
            )
        read = replace(read, options=resumed_options(read.options, options))
        kernel = read.options.kernel
        with open_bed(manifest.bed, manifest.clock, kernel=kernel, ca_bundle=options.ca_bundle) as opened:
            restart = f"pqbed reproduce {read.study.name}"
            plan, seed = study_hash(read), read.study.seed
            refuse_other_plan(run, plan=plan, seed=seed, file=STUDY_FILE, restart=restart)
            refuse_other_artefacts(run, opened.prepare(), restart)
            run.write_manifest(resume_manifest(manifest, sys.argv, len(run.finished())))
            return _measure(read, opened.bed, run, options.ca_bundle)


def _measure(read: ReadStudy, bed: Bed, run: Run, ca_bundle: Path | None) -> StudyResult:
    """Execute the plan, judge the claims and write the report."""
    study, plan = read.study, plan_study(read.study)
    lanes = min(read.options.lanes or default_lanes(bed.name, bed.clock), study.samples)
    expected = estimate_plan(plan, bed.clock, lanes, len(run.finished()), calibrate=read.options.calibrate)
    note(estimate_line(expected))
    measure_cpu_term(plan, bed, run, ca_bundle)
    resume_command = f"pqbed reproduce --resume {run.path}"
    outcome = execute_plan(plan, lanes, bed, run, options=read.options, resume_command=resume_command)
    run.write_summary(summarise_run(run))
    return StudyResult(
        path=run.path,
        study=study,
        answer=write_study_report(run, study),
        kernel=unusual_kernel(run.manifest),
        below_floor=outcome.below_floor,
        interruption=interruption(outcome, resume_command),
        exit_code=outcome.exit_code,
    )


def measure_cpu_term(plan: Plan, bed: Bed, run: Run, ca_bundle: Path | None) -> None:
    """Measure, once per run, the CPU term that a virtual clock leaves out. If this host cannot, note it and go on."""
    from pqbed.runner.measure_cpu import measure_cpu  # only with a virtual clock

    if bed.clock == "real" or bed.name == "fake" or not run.cpu().collect().is_empty():
        return
    sizes = sorted({cell.workload.size_bytes for cell in plan.cells.values()})
    try:
        with open_native_bed(ca_bundle=ca_bundle) as native:
            native.prepare()
            note("CPU: measuring it natively, for some seconds")
            run.write_cpu(measure_cpu(native.bed, plan.profiles, sizes, CPU_FETCHES, seed=plan.seed))
    except PqbedError as error:
        hint = f" ({error.hint})" if error.hint else ""
        note(f"CPU: not measured, so times are those of the network alone: {error.message}{hint}")


def _settings(options: StudyOptions) -> dict[str, Any]:
    """Return what was given in the form of a study's settings. Raises a SpecError that names the flag."""
    settings = {**given(options, ("samples", "seed")), **run_table(options)}
    sweep_from(settings, bare=True)
    return settings


def _create_run(read: ReadStudy, bed: Bed, artefacts: dict[str, str]) -> Run:
    manifest = _manifest(read, bed, artefacts)
    return create_run(Path(read.options.out), read.study.name, manifest, {STUDY_FILE: study_to_toml(read.table)})


def _manifest(read: ReadStudy, bed: Bed, artefacts: dict[str, str]) -> Manifest:
    study = read.study
    again = ["pqbed", "reproduce", study.name, "--samples", str(study.samples), "--seed", str(study.seed)]
    again += [] if read.options.kernel is None else ["--kernel", read.options.kernel]
    return start_manifest(
        command=sys.argv,
        bed=bed.name,
        clock=bed.clock,
        seed=study.seed,
        artefacts=artefacts,
        plan=study_hash(read),
        run_again=shlex.join(again),
    )
