"""Print what a run holds, finished or not."""

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pqbed.errors import SpecError
from pqbed.spec.codec import to_json
from pqbed.stats import summarise
from pqbed.stats.precision import tabulate_precision
from pqbed.stats.pressure import count_pressed
from pqbed.store.floor import BELOW_HINT, Below, find_below_floor
from pqbed.store.precision import PRECISION
from pqbed.store.run import Run
from pqbed.store.schema import QUANTILES, SUMMARY
from pqbed_cli.render.handshake import handshake_tables
from pqbed_cli.render.output import print_json, say
from pqbed_cli.render.precision import precision_lines
from pqbed_cli.render.summary import MODELS, failure_lines, summary_tables, wrong_link_lines
from pqbed_cli.render.table import Table, print_tables, widest

DEFAULT_PERCENTILES = ("p50", "p90")
MOST_BELOW_LINES = 20
# Where the output is no terminal.
USUAL_COLUMNS = 120


def report_run(run: Run, percentiles: Sequence[str], *, json_output: bool) -> None:
    """Print the table of `run` and its path; as JSON every column of every cell."""
    rows = summary_rows(run)
    manifest, precision = run.manifest, precision_of(run, rows).to_dicts()
    pressed = count_pressed(run.samples())
    below = find_below_floor(run.samples(), run.cells().collect())
    if json_output:
        kind = {"bed": manifest.bed, "clock": manifest.clock, "handshake_cpu": to_json(manifest.handshake_cpu)}
        more: dict[str, Any] = {"below_floor": [one._asdict() for one in below], "pressed": to_json(pressed)}
        more |= {"precision": precision} if manifest.precision_ppm is not None else {}
        print_json({"run": str(run.path), **kind, "cells": rows, **more})
        say_below_floor(below, json_output=True)
        return
    if not rows:
        say("no sample was taken")
    else:
        print_tables([*_tables(rows, percentiles, precision), *handshake_tables(manifest)])
        for line in precision_lines(precision, manifest.max_samples):
            say(line)
        for line in failure_lines(rows):
            say(f"failed: {line}")
        if pressed.pressed:
            say(f"{pressed.sentence()}: their times may be too long")
        say_below_floor(below)
        for line in wrong_link_lines(rows):
            say(f"wrong link: {line}")
    say(f"\nrun: {run.path}")


def _tables(
    rows: Sequence[dict[str, Any]], percentiles: Sequence[str], precision: Sequence[dict[str, Any]]
) -> list[Table]:
    """Lay out `rows`, with what is expected and the floor where the run has them and there is room."""
    room = shutil.get_terminal_size((USUAL_COLUMNS, 0)).columns
    with_models = summary_tables(rows, (*percentiles, *MODELS), precision)
    if any(row["floor_ns"] is not None for row in rows) and widest(with_models[1:]) <= room:
        return with_models
    return summary_tables(rows, percentiles, precision)


def say_below_floor(below: Sequence[Below], *, json_output: bool = False) -> None:
    """Name the cells with samples that are faster than physics allows; nothing where there is none."""
    for one in below[:MOST_BELOW_LINES]:
        say(f"error: {one.sentence()}", json_output=json_output)
    if len(below) > MOST_BELOW_LINES:
        say(f"error: and {len(below) - MOST_BELOW_LINES} more cells below their floors", json_output=json_output)
    if below:
        say(f"  hint: {BELOW_HINT}", json_output=json_output)


def summarise_run(run: Run) -> pl.DataFrame:
    """Return the summary of `run` as it is, its first profile the baseline; no rows before the first sample."""
    cells = run.cells().collect()
    if cells.is_empty():
        return SUMMARY.to_frame()
    return summarise(run.samples(), cells, baseline=cells["profile"][0])


def summary_rows(run: Run) -> list[dict[str, Any]]:
    """Return one row a cell, in the order of the plan: its conditions and its summary."""
    summary = summarise_run(run).drop("profile")
    return run.marked_cells().join(summary, on="cell_id", how="left", maintain_order="left").to_dicts()


def precision_of(run: Run, rows: Sequence[Mapping[str, Any]] | None = None) -> pl.DataFrame:
    """Return what each comparison took (PRECISION), from `rows` or anew; none where no precision was asked for."""
    manifest = run.manifest
    if manifest.precision_ppm is None or manifest.max_samples is None:
        return PRECISION.to_frame()
    return tabulate_precision(summary_rows(run) if rows is None else rows, manifest.precision_ppm, manifest.max_samples)


def read_percentiles(text: str) -> tuple[str, ...]:
    """Read `50,90` or `p50,p90`: those that the summary holds."""
    names = tuple(f"p{item.strip().removeprefix('p')}" for item in text.split(","))
    unknown = [name for name in names if name not in QUANTILES]
    if unknown:
        raise SpecError(
            f"there is no percentile {unknown[0].removeprefix('p')!r}", f"choose from {', '.join(QUANTILES)}"
        )
    return tuple(dict.fromkeys(names))
