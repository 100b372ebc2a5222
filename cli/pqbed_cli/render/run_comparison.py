"""Comparison of two runs as text: one row per cell and percentile."""

from collections.abc import Mapping, Sequence
from typing import Any

from pqbed.report.varying_axes import split_axes
from pqbed.spec.metric import BYTES, TTLB, Metric
from pqbed.stats.classify_difference import FINDINGS, Margin, expected_false_differs
from pqbed.units import format_size
from pqbed_cli.flags import Form
from pqbed_cli.render.gate import gate_table, print_annotations, print_verdicts
from pqbed_cli.render.mixtures import comparison_tables, mixtures_to_program
from pqbed_cli.render.number_format import NONE, increase, measured, noise
from pqbed_cli.render.streams import beside, note, print_json
from pqbed_cli.render.summary_table import wrong_link_lines
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import Comparison

Row = Mapping[str, Any]

FAILED = "failed"


def print_comparison(comparison: Comparison, form: Form) -> None:
    """Print the table, what its differences amount to, and links that calibration found wrong."""
    wrong = [
        f"wrong link in {run}: {line}" for run, cells in comparison.cells.items() for line in wrong_link_lines(cells)
    ]
    if form == "json":
        sides = {"a": str(comparison.a), "b": str(comparison.b)}
        asked = {"across": list(comparison.across), "margin": str(comparison.margin), "metric": comparison.metric.name}
        gate = gate_table(comparison.gate) if comparison.gate.verdicts else {}
        print_json({**sides, **asked, "cells": comparison.rows, **_mixtures(comparison), **gate})
        print_annotations(comparison.gate, note)
        for line in wrong:
            note(line)
        return
    say = beside(form)
    say(f"a: {comparison.a}")
    say(f"b: {comparison.b}\n")
    mixtures = comparison_tables(comparison.mixed, comparison.cells[comparison.a], comparison.metric)
    print_tables([comparison_table(comparison.rows, comparison.metric), *mixtures], form)
    say(f"\n{count_line(comparison.rows, comparison.margin)}")
    for line in wrong:
        say(line)
    if comparison.gate.verdicts:
        say("")
        print_verdicts(comparison.gate, say)


def _mixtures(comparison: Comparison) -> dict[str, Any]:
    if not comparison.mixed:
        return {}
    return {"mixtures": [dict(zip("ab", mixtures_to_program(pair), strict=True)) for pair in comparison.mixed]}


def comparison_table(rows: Sequence[Row], metric: Metric = TTLB) -> Table:
    """Lay out `rows` (stats.compare.COMPARED); a link, size or profile is shown once."""
    axes = split_axes(rows)
    cells = []
    for row in rows:
        named = (axes.title(row), format_size(row["size_bytes"]), str(row["profile"]))
        cells.append((*named, *_measured(row, metric)))
    columns = (
        "link",
        "size",
        "profile",
        "at",
        f"a {metric.unit}",
        f"b {metric.unit}",
        "change",
        "finding",
        "noise",
        "ok a",
        "ok b",
    )
    return Table(
        title=f"{metric.title}, and by how much {_is_worse(metric)}",
        columns=columns,
        rows=tuple(cells),
        numeric=(1, 4, 5, 6, 8, 9, 10),
        once=(0, 1, 2),
    )


def count_line(rows: Sequence[Row], margin: Margin) -> str:
    """Return the number of findings of each kind, and how many `differs` chance alone is expected to give."""
    counts = {word: sum(row["finding"] == word for row in rows) for word in FINDINGS}
    findings = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    floors = [
        row["noise_pct"] for row in rows if row["change_low_pct"] is not None and row["change_high_pct"] is not None
    ]
    chance = ""
    if floors:
        expected = expected_false_differs(floors)
        chance = f"; if all {len(floors)} were equal, about {expected:.2g} would be called differs by chance"
    return f"b against a, at 95%, equivalent within ±{margin}: {findings}{chance}"


def _none(metric: Metric) -> str:
    """Return what stands for a value that is not known: failed fetches have times, if one counts them as longest."""
    return NONE if metric is BYTES else FAILED


def _is_worse(metric: Metric) -> str:
    return "b is slower" if metric.unit == "ms" else "that of b is larger"


def _measured(row: Row, metric: Metric) -> tuple[str, ...]:
    return (
        str(row["percentile"]),
        measured(row[f"a_{metric.suffix}"], metric, _none(metric)),
        measured(row[f"b_{metric.suffix}"], metric, _none(metric)),
        increase(row["change_pct"], row["change_low_pct"], row["change_high_pct"]),
        str(row["finding"]),
        noise(row["noise_pct"]),
        f"{row['n_ok_a']}/{row['n_a']}",
        f"{row['n_ok_b']}/{row['n_b']}",
    )
