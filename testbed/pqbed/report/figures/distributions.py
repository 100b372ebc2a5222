"""Figures of the distribution of TTLB, and of the phases of a connection."""

import math

import altair as alt
import polars as pl

from pqbed.report.figures.figure_panels import (
    Figure,
    Panel,
    at_percentile,
    chart_panel,
    colour,
    dash,
    describe_noise_span,
    keep_links,
    legend,
    percentile_parameter,
    tooltips,
    value_title,
    zoom,
)
from pqbed.report.report_data import NS_PER_MS, ReportData
from pqbed.spec.metric import TTLB, Metric

# From this ratio between the slowest and the fastest fetch on, the axis is logarithmic.
LOGARITHMIC_FROM = 20
_BAR_HEIGHT = 22


def draw_ecdf(data: ReportData) -> Figure:
    """Draw the ECDF of TTLB: one panel per link, one line per profile, one size at a time."""
    links, notes = keep_links(data.links)
    profiles = data.cells["profile"].unique(maintain_order=True).to_list()
    size = alt.param("size", value=data.sizes[-1])
    drawn = [some for link in links if not (some := data.ecdf.filter(pl.col("link") == link)).is_empty()]
    panels = tuple(_ecdf_panel(rows, profiles, size, data.metric) for rows in drawn)
    if len(drawn) < len(links):
        notes = (*notes, "Links without a successful fetch have no curve.")
    return Figure(
        name="distribution",
        title="Distribution of TTLB" if data.metric is TTLB else f"Distribution of {data.metric.noun}",
        summary="Share of all fetches that were complete by then."
        if data.metric is TTLB
        else "Share of all fetches below it.",
        reading=describe_noise_span(data)
        + "A curve further to the right is slower; one that ends below 100% had fetches that failed.",
        panels=panels,
        notes=notes,
    )


def draw_phases(data: ReportData) -> Figure:
    """Draw the phases: one panel per link, one bar per size and profile."""
    links, notes = keep_links(data.links)
    rows = data.phases.with_columns(bar=pl.format("{}, {}", "size", "profile"))
    order = rows.sort("size_bytes", maintain_order=True)["bar"].unique(maintain_order=True).to_list()
    panels = tuple(_phases_panel(rows.filter(pl.col("link") == link), order, data) for link in links)
    return Figure(
        name="phases",
        title="Phases of a fetch",
        summary="TCP connect, TLS handshake, wait for the first byte, and transfer.",
        reading=describe_noise_span(data)
        + "The bars end at the chosen percentile of TTLB. A bar stops where too many fetches failed. "
        "A stroke across a bar is the TTLB that the packet model expects, if it covers the cell.",
        panels=panels,
        notes=notes,
    )


def _ecdf_panel(rows: pl.DataFrame, profiles: list[str], size: alt.Parameter, metric: Metric) -> Panel:
    ratio = rows.group_by("size").agg(pl.col("value").max() / pl.col("value").min())["value"].max()
    wide = isinstance(ratio, float) and math.isfinite(ratio) and ratio > LOGARITHMIC_FROM
    scale = alt.Scale(type="log") if wide else alt.Scale(zero=False)
    chart = (
        alt.Chart(rows.select("profile", "size", "value", "percent"))
        .transform_filter("datum.size === size")
        .mark_line(interpolate="step-after")
        .encode(
            x=alt.X("value:Q", title=value_title(metric), scale=scale, axis=alt.Axis(tickCount=5)),
            y=alt.Y("percent:Q", title="Done by then (%)", scale=alt.Scale(domain=[0, 100])),
            color=colour("profile", profiles, None),
            strokeDash=dash("profile", profiles),
            tooltip=tooltips(
                profile="Profile", size="Size", value=f"{value_title(metric)}|,.1f", percent="Done (%)|.1f"
            ),
        )
    )
    # Lines have no tooltips of their own between their points.
    points = chart.mark_point(size=60, opacity=0).add_params(zoom())
    return chart_panel(rows["where"][0], (chart, points), parameter=size)


def _phases_panel(rows: pl.DataFrame, order: list[str], data: ReportData) -> Panel:
    phases = data.phases_shown
    columns = ("percentile", "phase", "bar", "start_ms", "duration_ms")
    known = rows.filter(pl.col("duration_ms").is_not_null()).with_columns(
        rank=pl.col("phase").replace_strict({phase: number for number, phase in enumerate(phases)})
    )
    chart = (
        alt.Chart(known.select(*columns, "rank"))
        .transform_filter(at_percentile())
        .mark_bar()
        .encode(
            y=alt.Y("bar:N", sort=order, title=None),
            x=alt.X("duration_ms:Q", stack="zero", title="Time since the start (ms)", axis=alt.Axis(tickCount=5)),
            order=alt.Order("rank:Q"),
            color=alt.Color(
                "phase:O",
                title=None,
                sort=phases,
                scale=alt.Scale(domain=phases, range="ordinal"),
                legend=legend(phases, None, columns=2),  # its labels on the left leave little room
            ),
            tooltip=tooltips(
                bar="Fetch",
                phase="Phase",
                percentile="Percentile",
                start_ms="Begins (ms)|,.1f",
                duration_ms="Takes (ms)|,.1f",
            ),
        )
    )
    bars = known["bar"].n_unique()
    return chart_panel(
        rows["where"][0],
        (chart, *_expected_strokes(known, order, data)),
        parameter=percentile_parameter(data.names),
        height=_BAR_HEIGHT * bars + 10,
    )


def _expected_strokes(known: pl.DataFrame, order: list[str], data: ReportData) -> list[alt.Chart]:
    """Return a stroke across each bar of a cell with an expectation; no layer without any."""
    models = data.cells.select("cell_id", expected_ms=pl.col("expected_ns") / NS_PER_MS).drop_nulls()
    bars = known.unique("cell_id", maintain_order=True).join(models, on="cell_id", how="inner", maintain_order="left")
    if bars.is_empty():
        return []
    strokes = alt.Chart(bars.select("bar", "expected_ms")).mark_tick(style="expected", thickness=2.5, size=_BAR_HEIGHT)
    return [
        strokes.encode(
            y=alt.Y("bar:N", sort=order, title=None),
            x=alt.X("expected_ms:Q"),
            tooltip=tooltips(bar="Fetch", expected_ms="Expected TTLB (ms)|,.1f"),
        )
    ]
