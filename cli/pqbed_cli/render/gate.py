"""Verdicts of the gate, as text and as JSON."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pqbed.gate.annotations import to_annotations
from pqbed.gate.threshold_verdict import ThresholdVerdict, breaks_gate
from pqbed_cli.render.streams import echo, note, print_json
from pqbed_cli.workflow_results import Gate


def print_gate(gate: Gate, *, json_output: bool) -> None:
    """Print one line for each threshold, and below it the cells that do not keep it."""
    if json_output:
        print_json(gate_table(gate))
        print_annotations(gate, note)
        return
    print_verdicts(gate, echo)


def print_verdicts(gate: Gate, write: Callable[[str], None]) -> None:
    """Print the lines, and below them the annotations that were asked for."""
    for line in gate_lines(gate.verdicts):
        write(line)
    print_annotations(gate, write)


def print_annotations(gate: Gate, write: Callable[[str], None]) -> None:
    """Print the workflow commands if they were asked for: the runner reads both streams."""
    for line in to_annotations(gate.verdicts) if gate.annotate else ():
        write(line)


def gate_table(gate: Gate) -> dict[str, Any]:
    """Return the verdicts as JSON gives them."""
    return {"verdicts": [verdict_row(verdict) for verdict in gate.verdicts]}


def gate_lines(verdicts: Sequence[ThresholdVerdict]) -> Iterator[str]:
    """Yield the lines that are printed."""
    by_threshold: dict[str, list[ThresholdVerdict]] = {}
    for verdict in verdicts:
        by_threshold.setdefault(_words(verdict), []).append(verdict)
    for words, members in by_threshold.items():
        broken = [verdict for verdict in members if breaks_gate([verdict])]
        undecided = sum(verdict.status == "undecided" for verdict in members)
        count = f"{len(members)} cell{'s' if len(members) > 1 else ''}"
        open_ones = f", {undecided} undecided" if undecided else ""
        yield f"{'FAILED' if broken else 'passed'}  {words}: {len(broken)} of {count} failed{open_ones}"
        for verdict in broken:
            yield f"        {verdict.profile}, {verdict.where}: {verdict.measured}"


def verdict_row(verdict: ThresholdVerdict) -> dict[str, Any]:
    """Return a verdict as JSON gives it; what is not known or has no end is null there."""
    estimate = verdict.estimate
    return {
        "threshold": verdict.threshold.text,
        "required": verdict.threshold.required,
        "status": verdict.status,
        "cell_id": verdict.cell_id,
        "profile": verdict.profile,
        "conditions": verdict.where,
        "unit": verdict.threshold.unit,
        **{name: _finite(getattr(estimate, name)) for name in ("value", "low", "high", "noise")},
        "why": verdict.why,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _words(verdict: ThresholdVerdict) -> str:
    return f"{'require' if verdict.threshold.required else 'fail if'} {verdict.threshold.text}"
