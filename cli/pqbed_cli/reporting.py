"""Print what a run holds, finished or not."""

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pqbed.spec.codec import to_json
from pqbed.stats import read_grid, summarise, tabulate_percentiles
from pqbed.stats.classify import DEFAULT_MARGIN, Margin
from pqbed.stats.floor import BELOW_HINT, Below, find_below_floor
from pqbed.stats.links import marked_cells
from pqbed.stats.percentiles import percentile_name
from pqbed.stats.precision import tabulate_precision
from pqbed.stats.pressure import count_contended
from pqbed.store.precision import PRECISION
from pqbed.store.run import Run
from pqbed.store.schema import QUANTILES, SUMMARY
from pqbed_cli.render.handshake import handshake_tables
from pqbed_cli.render.output import print_json, say
from pqbed_cli.render.precision import precision_lines
from pqbed_cli.render.summary import (
    MODELS,
    MOST_SIDE_BY_SIDE,
    failure_lines,
    reading_lines,
    summary_tables,
    wrong_link_lines,
)
from pqbed_cli.render.table import Table, print_tables, widest

DEFAULT_PERCENTILES = (50.0, 90.0)
MOST_BELOW_LINES = 20
# Where the output is no terminal.
USUAL_COLUMNS = 120
# Columns of a percentile that the summary does not hold: the same, named after it.
_MORE = {
    **{f"value{bound}_ns": f"{{}}{bound}_ns" for bound in ("", "_low", "_high")},
    **{f"increase{bound}_pct": f"increase_{{}}{bound}_pct" for bound in ("", "_low", "_high")},
    "noise_pct": "noise_{}_pct",
    "finding": "finding_{}",
}


def report_run(run: Run, percentiles: Sequence[float], *, json_output: bool, margin: Margin = DEFAULT_MARGIN) -> None:
    """Print the table of `run` and its path; as JSON every column of every cell."""
    rows = summary_rows(run, percentiles, margin)
    manifest, precision = run.manifest, precision_of(run, rows).to_dicts()
    pressed = count_contended(run.samples())
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
        names = [percentile_name(percentile) for percentile in percentiles]
        print_tables([*_tables(rows, names, precision), *handshake_tables(manifest)])
        say("")
        for line in precision_lines(precision, manifest.max_samples):
            say(line)
        for line in (*reading_lines(rows, percentiles), *(f"failed: {line}" for line in failure_lines(rows))):
            say(line)
        for line in unsupported_lines(run):
            say(line)
        if pressed.pressed:
            say(f"{pressed.sentence()}: their times may be too long")
        say_below_floor(below)
        for line in wrong_link_lines(rows):
            say(f"wrong link: {line}")
    say(f"\nrun: {run.path}")


def unsupported_lines(run: Run) -> list[str]:
    """Return for each profile that a pair of stacks cannot speak which side cannot, and why."""
    samples = run.samples().filter(pl.col("outcome") == "unsupported").select("cell_id", "detail")
    found = samples.join(run.cells().select("cell_id", "profile"), on="cell_id").select("profile", "detail")
    rows = found.unique(maintain_order=True).collect().rows()
    return [f"{profile} is {detail}" for profile, detail in rows]


def _tables(
    rows: Sequence[dict[str, Any]], percentiles: Sequence[str], precision: Sequence[dict[str, Any]]
) -> list[Table]:
    """Lay out `rows`, with what is expected and the floor where the run has them and there is room."""
    room = shutil.get_terminal_size((USUAL_COLUMNS, 0)).columns
    if any(row["floor_ns"] is not None for row in rows):
        for side_by_side in (MOST_SIDE_BY_SIDE, 1):
            with_models = summary_tables(rows, (*percentiles, *MODELS), precision, side_by_side=side_by_side)
            if widest(with_models[1:]) <= room:
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


def summarise_run(run: Run, margin: Margin = DEFAULT_MARGIN) -> pl.DataFrame:
    """Return the summary of `run` as it is, its first profile the baseline; no rows before the first sample."""
    cells = run.cells().collect()
    if cells.is_empty():
        return SUMMARY.to_frame()
    return summarise(run.samples(), cells, baseline=cells["profile"][0], margin=margin)


def summary_rows(run: Run, percentiles: Sequence[float], margin: Margin = DEFAULT_MARGIN) -> list[dict[str, Any]]:
    """Return one row a cell, in the order of the plan: its conditions and its summary, with these percentiles."""
    cells = marked_cells(run)
    table = cells.join(summarise_run(run, margin).drop("profile"), on="cell_id", how="left", maintain_order="left")
    more = [percentile for percentile in percentiles if percentile_name(percentile) not in QUANTILES]
    if more and not cells.is_empty():
        grid = read_grid(run.samples(), cells, ["ttlb"])
        found = tabulate_percentiles(grid, cells, cells["profile"][0], more, margin=margin)
        for (name,), part in found.group_by("percentile"):
            columns = {own: shown.format(name) for own, shown in _MORE.items()}
            table = table.join(
                part.select("cell_id", *columns).rename(columns), on="cell_id", how="left", maintain_order="left"
            )
    return table.to_dicts()


def precision_of(run: Run, rows: Sequence[Mapping[str, Any]] | None = None) -> pl.DataFrame:
    """Return what each comparison took (PRECISION), from `rows` or anew; none where no precision was asked for."""
    manifest = run.manifest
    if manifest.precision_ppm is None or manifest.max_samples is None:
        return PRECISION.to_frame()
    told = summary_rows(run, DEFAULT_PERCENTILES) if rows is None else rows
    return tabulate_precision(told, manifest.precision_ppm, manifest.max_samples)
