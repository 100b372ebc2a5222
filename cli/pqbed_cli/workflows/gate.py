"""Thresholds held against a run or a comparison, and the files of the verdicts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pqbed.errors import SpecError, StoreError
from pqbed.gate.judge_comparison import judge_comparison, refuse_values
from pqbed.gate.judge_run import judge_run
from pqbed.gate.junit import to_junit
from pqbed.gate.markdown import to_markdown
from pqbed.gate.threshold_verdict import ThresholdVerdict
from pqbed.report.run_facts import SWEEP_FILE
from pqbed.reproduce import planned_cells
from pqbed.reproduce.stored_plan import is_study
from pqbed.spec.sweep_toml import read_run_sweep
from pqbed.spec.threshold import Threshold, parse_threshold
from pqbed.stats.compare_runs import compare_runs
from pqbed.store.run_directory import Run, open_run
from pqbed_cli.options import CheckOptions, CompareOptions, GateOptions
from pqbed_cli.workflow_results import Gate
from pqbed_cli.workflows.find_run import find_run, read_baseline


def check(options: CheckOptions) -> Gate:
    """Hold the thresholds of a run, and those that were typed, against it. Raises SpecError if there are none."""
    with open_run(find_run(options.run, options.out)) as run:
        thresholds = (*stored_thresholds(run.path), *typed_thresholds(options))
        if not thresholds:
            raise SpecError(
                "there is nothing to check", "give --fail-if or --require, or [thresholds] in the sweep file"
            )
        return gate_run(run, thresholds, options, read_baseline(run, options.baseline))


def gate_run(run: Run, thresholds: Sequence[Threshold], options: GateOptions, baseline: str | None = None) -> Gate:
    """Return the verdicts on a run, after writing them to the files that were asked for."""
    table = run.cells().collect()
    if thresholds and table.is_empty():
        raise StoreError(f"{run.path} has no cells yet", "wait until its first lane is open")
    cells = planned_cells(run.path)
    verdicts = judge_run(run.samples(), table, cells, thresholds, baseline) if thresholds else []
    return _written(Gate(title=run.path.name, verdicts=verdicts), options)


def gate_comparison(a: Run, b: Run, across: Sequence[str], options: CompareOptions) -> Gate:
    """Return the verdicts on by how much run `b` is slower, after writing them to the files that were asked for."""
    thresholds = typed_thresholds(options)
    refuse_values(thresholds)
    cells = planned_cells(b.path) if thresholds else {}
    verdicts: list[ThresholdVerdict] = []
    for threshold in thresholds:
        table = compare_runs(a, b, [threshold.percentile or 50.0], across=across, milestone=threshold.metric)
        rows = {row["cell_id_b"]: row for row in table.to_dicts()}
        verdicts += judge_comparison(rows, cells, threshold)
    return _written(Gate(title=f"{b.path.name} against {a.path.name}", verdicts=verdicts), options)


def refuse_missing_folders(options: GateOptions) -> None:
    """Raise SpecError if the files of the verdicts could not be written, before anything is measured."""
    for flag, path in (("--junit", options.junit), ("--summary", options.summary)):
        if path is not None and not path.parent.is_dir():
            raise SpecError(f"{flag}: there is no folder {path.parent}", "make it, or name another file")


def typed_thresholds(options: GateOptions) -> tuple[Threshold, ...]:
    return tuple(
        parse_threshold(text, required=required)
        for required, texts in ((False, options.fail_if), (True, options.require))
        for text in texts or ()
    )


def stored_thresholds(run: Path) -> tuple[Threshold, ...]:
    """Return the thresholds in the sweep file of a run; a study has none."""
    return () if is_study(run) else read_run_sweep(run / SWEEP_FILE)[1].thresholds


def _written(gate: Gate, options: GateOptions) -> Gate:
    """Write what was asked for; return `gate` with whether annotations were."""
    if options.junit is not None:
        _write(options.junit, to_junit(gate.verdicts), "wb", "--junit")
    if options.summary is not None:
        _write(options.summary, to_markdown(gate.verdicts, gate.title).encode(), "ab", "--summary")
    return replace(gate, annotate=options.annotate)


def _write(path: Path, content: bytes, mode: str, flag: str) -> None:
    try:
        with path.open(mode) as file:
            file.write(content)
    except OSError as error:
        raise SpecError(f"{flag}: cannot write {path}: {error.strerror}", "name a file that can be written") from error
