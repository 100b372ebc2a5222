"""A sweep started or resumed: parse, plan, execute, store."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pqbed.beds.bed_interface import Bed
from pqbed.errors import SpecError
from pqbed.plan import plan_hash
from pqbed.report.run_facts import SWEEP_FILE
from pqbed.reproduce.stored_plan import is_study
from pqbed.spec.profile import stacks_of
from pqbed.spec.sweep_toml import read_run_sweep, sweep_to_toml
from pqbed.spec.threshold import refuse_unmeasured
from pqbed.store.manifest import resume_manifest, start_manifest
from pqbed.store.provenance import refuse_other_artefacts, refuse_other_plan
from pqbed.store.run_directory import Run, create_run, open_run
from pqbed_cli.exits import INTERRUPTED
from pqbed_cli.options import GateOptions, SweepOptions
from pqbed_cli.render.plan_table import estimate_line
from pqbed_cli.render.streams import note
from pqbed_cli.workflow_results import SettledSweep, SweepResult
from pqbed_cli.workflows.cluster import JoinedCluster, execute_on_cluster, join_cluster
from pqbed_cli.workflows.execute_plan import execute_plan, interruption
from pqbed_cli.workflows.find_run import find_run, refuse_unwritable
from pqbed_cli.workflows.gate import gate_run, refuse_missing_folders
from pqbed_cli.workflows.handshake_cpu import add_handshake_cpu
from pqbed_cli.workflows.open_bed import open_bed
from pqbed_cli.workflows.plan import estimate, settle
from pqbed_cli.workflows.refuse_unknown_algorithms import refuse_unknown_algorithms
from pqbed_cli.workflows.show import metric_of, precision_of, read_summary, summarise_run
from pqbed_cli.workflows.sweep_request import Request, read_request, refuse_changes, resumed_options


def sweep(options: SweepOptions) -> SweepResult:
    """Run the sweep in a new run directory, or resume the run that is named."""
    return start_sweep(options) if options.resume is None else resume_sweep(options, options.resume)


def start_sweep(options: SweepOptions, base: Mapping[str, Any] | None = None) -> SweepResult:
    """Run the sweep in a new run directory; `base` is what it starts from where no file or preset is named."""
    request = read_request(options, base)
    refuse_unwritable(request.options.out)
    refuse_missing_folders(options)
    asked = request.options
    with (
        open_bed(asked.bed, asked.clock, kernel=asked.kernel, ca_bundle=options.ca_bundle) as opened,
        join_cluster(options, opened.bed.clock, precise=request.sweep.precision_ppm is not None) as cluster,
    ):
        settled = settle(request, opened.bed.name, opened.bed.clock, cluster.threads if cluster else None)
        refuse_unknown_algorithms(settled.plan.profiles)
        refuse_unmeasured(settled.options.thresholds, list(settled.plan.cells.values()), settled.sweep.profiles[0].name)
        note(estimate_line(estimate(settled)))
        artefacts = opened.prepare(stacks_of(settled.plan.profiles))
        with _create_run(settled, artefacts) as run:
            return _measure(settled, opened.bed, run, options, cluster)


def resume_sweep(options: SweepOptions, name: str) -> SweepResult:
    """Resume a run on the bed and clock it began with. `name`: its folder, or latest."""
    refuse_changes(options)
    path = find_run(name, options.out)
    if is_study(path):
        raise SpecError(f"{path} is the run of a study", f"resume it with: pqbed reproduce --resume {path}")
    with open_run(path) as run:
        manifest, finished = run.manifest, len(run.finished())
        stored, run_options = read_run_sweep(path / SWEEP_FILE)
        request = Request(sweep=stored, options=resumed_options(run_options, options), samples_chosen=True)
        kernel = request.options.kernel
        with (
            open_bed(manifest.bed, manifest.clock, kernel=kernel, ca_bundle=options.ca_bundle) as opened,
            join_cluster(options, opened.bed.clock, precise=stored.precision_ppm is not None) as cluster,
        ):
            settled = settle(request, opened.bed.name, opened.bed.clock, cluster.threads if cluster else None)
            restart = f"pqbed sweep --spec {path / SWEEP_FILE}"
            plan, seed = plan_hash(settled.plan), settled.plan.seed
            refuse_other_plan(run, plan=plan, seed=seed, file=SWEEP_FILE, restart=restart)
            note(_already_there(settled, finished))
            note(estimate_line(estimate(settled, finished)))
            artefacts = opened.prepare(stacks_of(settled.plan.profiles))
            refuse_other_artefacts(run, artefacts, restart)
            run.write_manifest(resume_manifest(manifest, sys.argv, finished))
            return _measure(settled, opened.bed, run, options, cluster)


def _measure(
    settled: SettledSweep, bed: Bed, run: Run, options: GateOptions, cluster: JoinedCluster | None
) -> SweepResult:
    """Execute the plan, store its summary, and if it was finished, hold the thresholds against it."""
    resume_command = f"pqbed sweep --resume {run.path}"
    if cluster is not None:
        outcome = execute_on_cluster(settled, cluster, run, resume_command)
    else:
        outcome = execute_plan(
            settled.plan, settled.lanes, bed, run, options=settled.options, resume_command=resume_command
        )
    run.write_summary(summarise_run(run))
    if settled.plan.precision_ppm is not None:
        run.write_precision(precision_of(run))
    if outcome.exit_code != INTERRUPTED:
        add_handshake_cpu(run, settled.plan.profiles, settled.plan.size_kinds)
    thresholds = () if outcome.exit_code == INTERRUPTED else settled.options.thresholds
    gate = gate_run(run, thresholds, options)
    return SweepResult(
        summary=read_summary(run, metric=metric_of(run)),
        interruption=interruption(outcome, resume_command),
        gate=gate,
        exit_code=outcome.exit_code or gate.exit_code,
    )


def _create_run(settled: SettledSweep, artefacts: dict[str, str]) -> Run:
    sweep = settled.sweep
    manifest = start_manifest(
        command=sys.argv,
        bed=settled.bed,
        clock=settled.clock,
        seed=sweep.seed,
        artefacts=artefacts,
        plan=plan_hash(settled.plan),
        run_again=f"pqbed sweep --spec {SWEEP_FILE}",
    )
    manifest = replace(manifest, metric=sweep.metric)
    if sweep.precision_ppm is not None:
        manifest = replace(manifest, precision_ppm=sweep.precision_ppm, max_samples=sweep.samples)
    out = Path(settled.options.out)
    return create_run(out, sweep.name, manifest, {SWEEP_FILE: sweep_to_toml(sweep, settled.options)})


def _already_there(settled: SettledSweep, finished: int) -> str:
    most = "" if settled.sweep.precision_ppm is None else "at most "
    return f"{finished} of {most}{settled.plan.fetch_count} samples are there already"
