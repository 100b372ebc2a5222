"""The summary of a run, finished or not."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from pqbed.report.run_mixtures import read_mixed
from pqbed.spec.metric import BYTES, METRICS, TTLB, Metric, metric_named
from pqbed.spec.value_parsers import naming
from pqbed.stats import read_grid, summarise, tabulate_percentiles
from pqbed.stats.below_floor import find_below_floor
from pqbed.stats.classify_difference import DEFAULT_MARGIN, Margin, parse_margin
from pqbed.stats.comparison_precision import tabulate_precision
from pqbed.stats.cpu_contention import count_contended
from pqbed.stats.link_verdicts import marked_cells
from pqbed.stats.percentiles import parse_percentiles, percentile_name
from pqbed.store.precision_table import PRECISION
from pqbed.store.run_directory import Run, open_run
from pqbed.store.table_schemas import BOUNDS, SUMMARY
from pqbed_cli.options import ShowOptions
from pqbed_cli.workflow_results import RunSummary
from pqbed_cli.workflows.find_run import find_run

DEFAULT_PERCENTILES = (50.0, 90.0)


def show(options: ShowOptions) -> RunSummary:
    """Return the summary of the run that is named."""
    percentiles, margin = read_percentiles(options.percentile), parse_margin(options.margin)
    typed = read_metric(options.metric)
    with open_run(find_run(options.run, options.out)) as run:
        return read_summary(run, percentiles, margin, typed or metric_of(run), options.resumed_share)


def read_metric(text: str | None) -> Metric | None:
    with naming("--metric"):
        return None if text is None else metric_named(text)


def metric_of(run: Run) -> Metric:
    """Return the metric that `run` was measured for."""
    return METRICS.get(run.manifest.metric, TTLB)


def read_percentiles(text: str) -> tuple[float, ...]:
    with naming("--percentile"):
        return parse_percentiles(text)


def read_summary(
    run: Run,
    percentiles: tuple[float, ...] = DEFAULT_PERCENTILES,
    margin: Margin = DEFAULT_MARGIN,
    metric: Metric = TTLB,
    resumed_share: str | None = None,
) -> RunSummary:
    """Return everything that is printed about `run`."""
    percentiles = shown_percentiles(percentiles, metric)
    rows = summary_rows(run, percentiles, margin, metric)
    return RunSummary(
        path=run.path,
        manifest=run.manifest,
        percentiles=percentiles,
        metric=metric,
        rows=rows,
        mixed=read_mixed(run, percentiles, resumed_share, metric=metric, margin=margin),
        precision=precision_of(run).to_dicts(),
        pressed=count_contended(run.samples()),
        below_floor=find_below_floor(run.samples(), run.cells().collect()),
        unsupported=unsupported_lines(run),
    )


def unsupported_lines(run: Run) -> list[str]:
    """Return for each profile that a pair of stacks does not support which side does not, and why."""
    samples = run.samples().filter(pl.col("outcome") == "unsupported").select("cell_id", "detail")
    details = samples.join(run.cells().select("cell_id", "profile"), on="cell_id").select("profile", "detail")
    rows = details.unique(maintain_order=True).collect().rows()
    return [f"{profile} is {detail}" for profile, detail in rows]


def summarise_run(run: Run, margin: Margin = DEFAULT_MARGIN) -> pl.DataFrame:
    """Return the summary of `run` as it is, its first profile the baseline; no rows before the first sample."""
    cells = run.cells().collect()
    if cells.is_empty():
        return SUMMARY.to_frame()
    return summarise(run.samples(), cells, baseline=cells["profile"][0], margin=margin)


def summary_rows(
    run: Run, percentiles: Sequence[float], margin: Margin = DEFAULT_MARGIN, metric: Metric = TTLB
) -> list[dict[str, Any]]:
    """Return one row per cell, in the order of the plan: its conditions and its summary, with these percentiles."""
    cells = marked_cells(run)
    table = cells.join(summarise_run(run, margin).drop("profile"), on="cell_id", how="left", maintain_order="left")
    more = [percentile for percentile in percentiles if metric.value(percentile_name(percentile)) not in SUMMARY]
    if more and not cells.is_empty():
        grid = read_grid(run.samples(), cells, [metric.quantity])
        base, milestone = cells["profile"][0], metric.quantity
        percentile_rows = tabulate_percentiles(grid, cells, base, more, milestone=milestone, margin=margin)
        for (name,), part in percentile_rows.group_by("percentile"):
            columns = _columns(metric, str(name))
            table = table.join(
                part.select("cell_id", *columns).rename(columns), on="cell_id", how="left", maintain_order="left"
            )
    return table.to_dicts()


def shown_percentiles(percentiles: tuple[float, ...], metric: Metric) -> tuple[float, ...]:
    """Return the percentiles of `metric` to show: what is the same in every sample has one value alone."""
    return DEFAULT_PERCENTILES[:1] if metric is BYTES else percentiles


def _columns(metric: Metric, name: str) -> dict[str, str]:
    """Return the columns of PERCENTILES, and what they are called in a summary."""
    return {
        **{f"value{bound}_ns": metric.value(name, bound) for bound in BOUNDS},
        **{f"increase{bound}_pct": metric.increase(name, bound) for bound in BOUNDS},
        "noise_pct": metric.noise(name),
        "finding": metric.finding(name),
    }


def precision_of(run: Run) -> pl.DataFrame:
    """Return what each comparison took (PRECISION); none if no precision was asked for."""
    manifest = run.manifest
    if manifest.precision_ppm is None or manifest.max_samples is None:
        return PRECISION.to_frame()
    metric = metric_of(run)
    rows = summary_rows(run, DEFAULT_PERCENTILES[:1], metric=metric)
    return tabulate_precision(rows, manifest.precision_ppm, manifest.max_samples, metric)
