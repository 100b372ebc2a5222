"""What a run holds, finished or not, as text and as JSON."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pqbed.spec.json_codec import to_json
from pqbed.spec.metric import TTLB
from pqbed.stats.percentiles import percentile_name
from pqbed.store.manifest import unusual_kernel
from pqbed_cli.flags import TABLE, Form
from pqbed_cli.render.answer_line import answer_lines
from pqbed_cli.render.below_floor import floor_lines
from pqbed_cli.render.gate import gate_table, print_annotations, print_verdicts
from pqbed_cli.render.handshake_cpu import handshake_tables
from pqbed_cli.render.mixtures import mixture_tables, mixtures_to_program
from pqbed_cli.render.precision_summary import precision_lines
from pqbed_cli.render.streams import beside, note, print_json
from pqbed_cli.render.summary_table import (
    MODELS,
    MOST_SIDE_BY_SIDE,
    Layout,
    failure_lines,
    reading_lines,
    summary_tables,
    wrong_link_lines,
)
from pqbed_cli.render.table import Table, print_tables, widest
from pqbed_cli.workflow_results import Gate, RunSummary, SweepResult

# If the output is no terminal.
USUAL_COLUMNS = 120


def print_sweep(result: SweepResult, form: Form) -> None:
    """Print the run, and if it was interrupted, how to resume it."""
    print_run(result.summary, form, gate=result.gate)
    if result.interruption:
        note(result.interruption)


def print_run(summary: RunSummary, form: Form, gate: Gate | None = None) -> None:
    """Print the table of a run, its path and the verdicts on it; as JSON every column of every cell."""
    if form == "json":
        print_json(_to_program(summary) | (gate_table(gate) if gate and gate.verdicts else {}))
        if gate:
            print_annotations(gate, note)
        for line in floor_lines(summary.below_floor):
            note(line)
        return
    say = beside(form)
    if not summary.rows:
        say("no sample was taken")
    else:
        tables = _tables(summary) if form == TABLE else _long_tables(summary)
        mixtures = mixture_tables(summary.mixed, summary.rows, summary.metric)
        print_tables([*tables, *mixtures, *handshake_tables(summary.manifest)], form)
        say("")
        for line in _lines_below(summary):
            say(line)
    answers = list(answer_lines(summary.rows, summary.metric))
    if answers:
        say("")
    for line in answers:
        say(line)
    say(f"\nrun: {summary.path}")
    if gate and gate.verdicts:
        say("")
        print_verdicts(gate, say)


def _to_program(summary: RunSummary) -> dict[str, Any]:
    manifest = summary.manifest
    table = {
        "run": str(summary.path),
        "bed": manifest.bed,
        "clock": manifest.clock,
        "metric": summary.metric.name,
        "handshake_cpu": to_json(manifest.handshake_cpu),
        "cells": summary.rows,
        **({"mixtures": mixtures_to_program(summary.mixed)} if summary.mixed else {}),
        "below_floor": [below._asdict() for below in summary.below_floor],
        "pressed": to_json(summary.pressed),
    }
    return table | ({"precision": summary.precision} if manifest.precision_ppm is not None else {})


def _lines_below(summary: RunSummary) -> list[str]:
    """Return what is printed below the tables."""
    rows, pressed = summary.rows, summary.pressed
    return [
        *precision_lines(summary.precision, summary.manifest.max_samples),
        *reading_lines(rows, summary.percentiles),
        *(f"failed: {line}" for line in failure_lines(rows)),
        *summary.unsupported,
        *([f"{pressed.sentence()}: their times may be too long"] if pressed.pressed else []),
        *floor_lines(summary.below_floor),
        *(f"wrong link: {line}" for line in wrong_link_lines(rows)),
    ]


def _long_tables(summary: RunSummary) -> Sequence[Table]:
    """Lay out the rows for what has room for all of it: the columns are the same for any number of profiles."""
    names = [percentile_name(percentile) for percentile in summary.percentiles]
    layout = Layout(metric=summary.metric, side_by_side=0, kernel=unusual_kernel(summary.manifest))
    return summary_tables(summary.rows, (*names, *_models(summary)), summary.precision, layout)


def _models(summary: RunSummary) -> tuple[str, ...]:
    """Return the models that stand beside what was measured, if the run has them."""
    modelled = summary.metric is TTLB and any(row["floor_ns"] is not None for row in summary.rows)
    return MODELS if modelled else ()


def _tables(summary: RunSummary) -> Sequence[Table]:
    """Lay out the rows, with what is expected and the floor if the run has them and there is room."""
    rows, precision = summary.rows, summary.precision
    names = [percentile_name(percentile) for percentile in summary.percentiles]
    layout = Layout(metric=summary.metric, kernel=unusual_kernel(summary.manifest))
    room = shutil.get_terminal_size((USUAL_COLUMNS, 0)).columns
    if _models(summary):
        for side_by_side in (MOST_SIDE_BY_SIDE, 1):
            with_models = summary_tables(rows, (*names, *MODELS), precision, replace(layout, side_by_side=side_by_side))
            if widest(with_models[1:]) <= room:
                return with_models
    return summary_tables(rows, names, precision, layout)
