"""Data of a report: tables of the statistics, with labels and units for people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from pqbed.report.varying_axes import MAIN_AXES, ONE_LINK, Axes, split_axes
from pqbed.spec.metric import TTLB, Metric
from pqbed.stats import Grid, milestones_of, read_grid, tabulate_ecdf, tabulate_percentiles, tabulate_phases
from pqbed.stats.below_floor import Below, find_below_floor
from pqbed.stats.classify_difference import DEFAULT_MARGIN, Margin
from pqbed.stats.link_verdicts import marked_cells
from pqbed.stats.percentiles import DEFAULT_PERCENTILES
from pqbed.stats.tcp_info_summary import TCP_INFO, tabulate_tcp_info
from pqbed.store.run_directory import Run
from pqbed.units import format_size

NS_PER_MS = 1_000_000
# Altair refuses a chart of more than 5,000 rows; every figure stays below by drawing fewer points a curve.
MOST_ROWS = 4_500
FINEST_CURVE, COARSEST_CURVE = 200, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """Everything that a report shows of a run. Each table has the columns of `label_cells` in addition to its own.

    The A/A arm is counted (`counts`) and otherwise appears only as the noise floor; `copy_of` is its original, None
    without one. `percentiles` as PERCENTILES with `value`, `low`, `high` in the unit of `metric` and the percentage
    columns `increase`, `increase_low`, `increase_high`, `noise`; `ecdf` with `value` and `percent`; `phases` with
    `start_ms`, `duration_ms`. `tcp_info` as TCP_INFO; `below`: samples that are faster than physics allows.
    """

    cells: pl.DataFrame
    axes: Axes
    baseline: str
    margin: Margin
    metric: Metric = TTLB
    copy_of: str | None
    counts: pl.DataFrame
    percentiles: pl.DataFrame
    ecdf: pl.DataFrame
    phases: pl.DataFrame
    tcp_info: pl.DataFrame
    below: tuple[Below, ...] = ()

    @property
    def names(self) -> list[str]:
        """Return the names of the percentiles, as `p50`."""
        return self.percentiles["percentile"].unique(maintain_order=True).to_list()

    @property
    def phases_shown(self) -> list[str]:
        """Return the names of the phases in their order."""
        return self.phases["phase"].unique(maintain_order=True).to_list()

    @property
    def compared(self) -> list[str]:
        """Return the profiles that are compared with the baseline."""
        return [name for name in self.cells["profile"].unique(maintain_order=True) if name != self.baseline]

    @property
    def sizes(self) -> list[str]:
        """Return the labels of the sizes, smallest first."""
        return self.cells.sort("size_bytes")["size"].unique(maintain_order=True).to_list()

    @property
    def links(self) -> list[str]:
        return self.cells["link"].unique(maintain_order=True).to_list()


def read_report_data(
    run: Run,
    baseline: str | None = None,
    percentiles: tuple[float, ...] = DEFAULT_PERCENTILES,
    margin: Margin = DEFAULT_MARGIN,
    metric: Metric = TTLB,
) -> ReportData | None:
    """Return the data of `run`; None without a sample. The sweep's first profile is the default baseline."""
    cells = marked_cells(run)
    if cells.is_empty():
        return None
    # Before the grid, the largest thing in memory.
    below, tcp_info = tuple(find_below_floor(run.samples(), cells)), tabulate_tcp_info(run.samples())
    grid = read_grid(run.samples(), cells, list(dict.fromkeys([*milestones_of(cells), metric.quantity])))
    if not grid.counts["n"].sum():
        return None
    data = reduce_grid(grid, cells, baseline or str(cells["profile"][0]), percentiles, margin=margin, metric=metric)
    return replace(data, tcp_info=tcp_info, below=below)


def reduce_grid(
    grid: Grid,
    cells: pl.DataFrame,
    baseline: str,
    percentiles: tuple[float, ...] = DEFAULT_PERCENTILES,
    *,
    margin: Margin = DEFAULT_MARGIN,
    metric: Metric = TTLB,
) -> ReportData:
    """Return the data of a grid; without TCP_INFO and samples below the floor."""
    axes = split_axes(cells.to_dicts())
    labelled = label_cells(cells, axes)
    every = labelled.select("cell_id", "profile", "size_bytes", "size", "size_kib", "link", "where")
    arms = labelled.filter(pl.col("copy_of").is_null())
    labels = every.filter(pl.col("cell_id").is_in(arms["cell_id"].implode()))
    copies = labelled["copy_of"].drop_nulls()
    quantity, points = metric.quantity, _curve_points(labelled)
    table = tabulate_percentiles(grid, cells, baseline, percentiles, milestone=quantity, margin=margin)
    return ReportData(
        cells=arms,
        axes=axes,
        baseline=baseline,
        margin=margin,
        metric=metric,
        copy_of=None if copies.is_empty() else str(copies[0]),
        counts=every.hstack(grid.counts),
        percentiles=frame_percentiles(table, labels, metric),
        ecdf=_join(tabulate_ecdf(grid, cells, points, milestone=quantity), labels).with_columns(
            value=pl.col("value_ns") / metric.scale, percent=100 * pl.col("share")
        ),
        tcp_info=TCP_INFO.to_frame(),
        phases=_join(tabulate_phases(grid, cells, percentiles), labels).with_columns(
            start_ms=pl.col("start_ns") / NS_PER_MS, duration_ms=pl.col("duration_ns") / NS_PER_MS
        ),
    )


def label_cells(cells: pl.DataFrame, axes: Axes) -> pl.DataFrame:
    """Add `link` (what varies in it, in short), `where` (the same in full), `size` (as text) and `size_kib`."""
    rows = cells.to_dicts()
    return cells.with_columns(
        link=pl.Series([axes.label(row) or ONE_LINK for row in rows], dtype=pl.String),
        where=pl.Series([axes.title(row) or axes.title(row, MAIN_AXES) for row in rows], dtype=pl.String),
        size=pl.Series([format_size(row["size_bytes"]) for row in rows], dtype=pl.String),
        size_kib=pl.col("size_bytes") / 1024,
    )


def frame_percentiles(table: pl.DataFrame, labels: pl.DataFrame, metric: Metric = TTLB) -> pl.DataFrame:
    """Join a table of percentiles with its cells' labels, in the unit of `metric` and per cent."""
    names = {"value_ns": "value", "value_low_ns": "low", "value_high_ns": "high"}
    return _join(table.drop("profile"), labels).with_columns(
        *(pl.col(name).truediv(metric.scale).alias(shown) for name, shown in names.items()),
        *(pl.col(f"increase{bound}_pct").alias(f"increase{bound}") for bound in ("", "_low", "_high")),
        noise=pl.col("noise_pct"),
    )


def _join(table: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `table` whose cells are in `labels`, with the columns of both."""
    return table.join(labels, on="cell_id", how="inner", maintain_order="left")


def _curve_points(cells: pl.DataFrame) -> int:
    """Return how many points a curve may have, as one chart draws all cells of a link."""
    busiest = cells.group_by("link").len()["len"].max()
    assert isinstance(busiest, int)
    return max(COARSEST_CURVE, min(FINEST_CURVE, MOST_ROWS // busiest))


def counts_by_outcome(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the failures among `counts` (a row of ReportData.counts) by outcome, without those that did not happen."""
    skip = {"n_ok", "n_failed"}
    return {
        name.removeprefix("n_"): n for name, n in counts.items() if name.startswith("n_") and n and name not in skip
    }


def noise_span(floors: pl.Series) -> str | None:
    """Return noise floors as text, per cent; None without any."""
    known: list[float] = floors.drop_nulls().to_list()
    if not known:
        return None
    low, high = f"{min(known):.1f}", f"{max(known):.1f}"
    return f"±{high}%" if low == high else f"±{low}% to ±{high}%"
