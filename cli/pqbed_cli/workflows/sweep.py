"""Start or resume a sweep: bed, estimate, run directory, progress, table."""

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pqbed.errors import SpecError
from pqbed.reproduce.stored import is_study
from pqbed.spec.profile import stacks_of
from pqbed.spec.text import read_run_sweep, sweep_from, sweep_to_toml
from pqbed.store.manifest import resume_manifest, start_manifest
from pqbed.store.run import Run, create_run, open_run
from pqbed_cli.exits import INTERRUPTED
from pqbed_cli.render.output import say
from pqbed_cli.render.plan import estimate_line
from pqbed_cli.workflows.beds import Taken, take_bed
from pqbed_cli.workflows.execute import conduct, say_interrupted
from pqbed_cli.workflows.handshake_cpu import add_handshake_cpu
from pqbed_cli.workflows.plan import Settled, estimate, settle
from pqbed_cli.workflows.report import DEFAULT_PERCENTILES, precision_of, report_run, summarise_run
from pqbed_cli.workflows.request import Request, layer, read_request
from pqbed_cli.workflows.runs import find_run, refuse_unwritable

SWEEP_FILE = "sweep.toml"
# What may be said anew when a run is taken up again: nothing that changes what is measured.
RESUMABLE = ("lanes", "out", "guard")


def start_sweep(typed: Mapping[str, Any]) -> int:
    """Run the sweep that was typed in a new run directory; return the exit code."""
    request = read_request(typed)
    refuse_unwritable(request.options.out)
    options = request.options
    with _bed(options.bed, options.clock, typed) as taken:
        settled = settle(request, taken.bed.name, taken.bed.clock)
        say(estimate_line(estimate(settled)), json_output=typed["json_output"])
        artefacts = taken.prepare(stacks_of(settled.plan.profiles))
        with _new_run(settled, artefacts) as run:
            return _conduct(settled, taken, run, typed)


def resume_sweep(typed: Mapping[str, Any]) -> int:
    """Go on with a run on the bed and clock it began with; return the exit code."""
    _refuse_changes(typed)
    path = find_run(typed["resume"], typed["out"] or "results")
    if is_study(path):
        raise SpecError(f"{path} is the run of a study", f"go on with: pqbed reproduce --resume {path}")
    with open_run(path) as run:
        manifest = run.manifest
        sweep, options = read_run_sweep(path / SWEEP_FILE)
        _typed_sweep, typed_options = sweep_from(layer(typed), bare=True)
        guard = options.guard if typed["guard"] is None else typed["guard"]
        options = replace(options, lanes=typed_options.lanes or options.lanes, guard=guard)
        finished = len(run.finished())
        with _bed(manifest.bed, manifest.clock, typed) as taken:
            request = Request(sweep=sweep, options=options, samples_chosen=True)
            settled = settle(request, taken.bed.name, taken.bed.clock)
            most = "" if sweep.precision_ppm is None else "at most "
            there = f"{finished} of {most}{settled.plan.fetch_count} samples are there already"
            say(there, json_output=typed["json_output"])
            say(estimate_line(estimate(settled, finished)), json_output=typed["json_output"])
            taken.prepare(stacks_of(settled.plan.profiles))
            run.write_manifest(resume_manifest(manifest, sys.argv))
            return _conduct(settled, taken, run, typed)


def _conduct(settled: Settled, taken: Taken, run: Run, typed: Mapping[str, Any]) -> int:
    """Measure with progress, then print the table and the path of the run."""
    json_output, go_on = typed["json_output"], f"pqbed sweep --resume {run.path}"
    options = settled.request.options
    outcome = conduct(
        settled.plan, settled.lanes, taken.bed, run, options=options, go_on=go_on, json_output=json_output
    )
    run.write_summary(summarise_run(run))
    if settled.plan.precision_ppm is not None:
        run.write_precision(precision_of(run))
    if outcome.exit_code != INTERRUPTED:
        add_handshake_cpu(run, settled.plan.profiles)
    report_run(run, DEFAULT_PERCENTILES, json_output=json_output)
    say_interrupted(outcome, go_on)
    return outcome.exit_code


def _new_run(settled: Settled, artefacts: dict[str, str]) -> Run:
    sweep, options = settled.request.sweep, settled.request.options
    manifest = start_manifest(
        command=sys.argv,
        bed=settled.bed,
        clock=settled.clock,
        seed=sweep.seed,
        artefacts=artefacts,
        run_again=f"pqbed sweep --spec {SWEEP_FILE}",
    )
    if sweep.precision_ppm is not None:
        manifest = replace(manifest, precision_ppm=sweep.precision_ppm, max_samples=sweep.samples)
    return create_run(Path(options.out), sweep.name, manifest, {SWEEP_FILE: sweep_to_toml(sweep, options)})


def _bed(bed: str, clock: str | None, typed: Mapping[str, Any]) -> contextlib.AbstractContextManager[Taken]:
    return take_bed(bed, clock, json_output=typed["json_output"], ca_bundle=typed["ca_bundle"])


def _refuse_changes(typed: Mapping[str, Any]) -> None:
    given = [name for name in ("spec", "preset") if typed[name] is not None]
    asked = layer(typed)
    given += [name for name in asked if name != "run"]
    given += [name for name in asked.get("run", {}) if name not in RESUMABLE]
    if given:
        raise SpecError(
            f"--resume goes on with a run as it was planned, and --{given[0]} would change it",
            f"leave --{given[0]} out, or start a new sweep without --resume",
        )
