"""Print what a run holds, finished or not."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from pqbed.errors import SpecError
from pqbed.stats import summarise
from pqbed.store.run import Run
from pqbed.store.schema import QUANTILES, SUMMARY
from pqbed_cli.render.output import print_json, say
from pqbed_cli.render.summary import failure_lines, summary_tables
from pqbed_cli.render.table import print_tables

DEFAULT_PERCENTILES = ("p50", "p90")


def report_run(run: Run, percentiles: Sequence[str], *, json_output: bool) -> None:
    """Print the table of `run` and its path; as JSON every column of every cell."""
    rows = summary_rows(run)
    if json_output:
        print_json({"run": str(run.path), "bed": run.manifest.bed, "clock": run.manifest.clock, "cells": rows})
        return
    if not rows:
        say("no sample was taken")
    else:
        print_tables(summary_tables(rows, percentiles))
        for line in failure_lines(rows):
            say(f"failed: {line}")
        for line in unsupported_lines(run):
            say(line)
    say(f"\nrun: {run.path}")


def unsupported_lines(run: Run) -> list[str]:
    """Return for each profile that a pair of stacks cannot speak which side cannot, and why."""
    samples = run.samples().filter(pl.col("outcome") == "unsupported").select("cell_id", "detail")
    found = samples.join(run.cells().select("cell_id", "profile"), on="cell_id").select("profile", "detail")
    rows = found.unique(maintain_order=True).collect().rows()
    return [f"{profile} is {detail}" for profile, detail in rows]


def summarise_run(run: Run) -> pl.DataFrame:
    """Return the summary of `run` as it is, its first profile the baseline; no rows before the first sample."""
    cells = run.cells().collect()
    if cells.is_empty():
        return SUMMARY.to_frame()
    return summarise(run.samples(), cells, baseline=cells["profile"][0])


def summary_rows(run: Run) -> list[dict[str, Any]]:
    """Return one row a cell, in the order of the plan: its conditions and its summary."""
    summary = summarise_run(run).drop("profile")
    return run.cells().collect().join(summary, on="cell_id", how="left", maintain_order="left").to_dicts()


def read_percentiles(text: str) -> tuple[str, ...]:
    """Read `50,90` or `p50,p90`: those that the summary holds."""
    names = tuple(f"p{item.strip().removeprefix('p')}" for item in text.split(","))
    unknown = [name for name in names if name not in QUANTILES]
    if unknown:
        raise SpecError(
            f"there is no percentile {unknown[0].removeprefix('p')!r}", f"choose from {', '.join(QUANTILES)}"
        )
    return tuple(dict.fromkeys(names))
