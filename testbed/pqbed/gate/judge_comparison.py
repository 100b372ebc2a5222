"""Verdicts on the thresholds of a comparison of two runs: by how much the second is slower."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pqbed.errors import SpecError
from pqbed.gate.judge_run import describe_conditions
from pqbed.gate.threshold_verdict import Estimate, ThresholdVerdict, decide
from pqbed.spec.cell import Cell
from pqbed.spec.threshold import Threshold


def refuse_values(thresholds: Sequence[Threshold]) -> None:
    """Raise SpecError for a threshold that is no increase: a comparison has no other values."""
    for threshold in thresholds:
        if not threshold.increase:
            raise SpecError(
                f"{threshold.text!r} is no increase, and two runs are compared by those",
                f"write {threshold.metric}.increase, or check one run with `pqbed check`",
            )


def judge_comparison(
    rows: Mapping[str, Mapping[str, Any]], cells: Mapping[str, Cell], threshold: Threshold
) -> list[ThresholdVerdict]:
    """Hold `threshold` against `rows` (stats.compare_runs.COMPARED), of its metric and percentile, by id of cell.

    `cells` are those of the second run. Raises SpecError if it concerns none of them.
    """
    concerned = {cell_id: row for cell_id, row in rows.items() if threshold.concerns(cells[cell_id])}
    if not concerned:
        raise SpecError(f"no cell of both runs has the conditions of {threshold.text!r}", "choose among their values")
    return [_verdict(threshold, cell_id, row, cells[cell_id]) for cell_id, row in concerned.items()]


def _verdict(threshold: Threshold, cell_id: str, row: Mapping[str, Any], cell: Cell) -> ThresholdVerdict:
    value, low, high = (_number(row[f"change{end}_pct"]) for end in ("", "_low", "_high"))
    noise = row["noise_pct"]
    estimate = Estimate(value=value, low=low, high=high, noise=0.0 if noise is None else noise)
    status = decide(estimate, threshold)
    return ThresholdVerdict(
        threshold=threshold,
        cell_id=cell_id,
        profile=cell.profile.name,
        where=describe_conditions(cell),
        estimate=estimate,
        status=status,
        why="one of the runs has too few samples, or too many failures" if status == "unknown" else "",
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value
