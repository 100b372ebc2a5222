"""What lies behind a percentile: the whole distribution, and the phases of a connection."""

import altair as alt
import polars as pl

from pqbed.report.figures.figure import (
    Figure,
    Panel,
    at_percentile,
    chart_panel,
    colour,
    dash,
    keep_links,
    legend,
    percentile_parameter,
    tell_noise_span,
    tooltips,
    zoom,
)
from pqbed.report.report_data import NS_PER_MS, Measured
from pqbed.stats.distributions import PHASES

# From this ratio between the slowest and the fastest fetch on, a curve is drawn over a logarithmic axis.
LOGARITHMIC_FROM = 20
_BAR_HEIGHT = 22


def draw_ecdf(measured: Measured) -> Figure:
    """Draw the share of fetches that were done in time: one panel a link, one line a profile, one size at a time."""
    links, notes = keep_links(measured.links)
    profiles = measured.cells["profile"].unique(maintain_order=True).to_list()
    size = alt.param("size", value=measured.sizes[-1])
    drawn = [some for link in links if not (some := measured.ecdf.filter(pl.col("link") == link)).is_empty()]
    panels = tuple(_ecdf_panel(rows, profiles, size) for rows in drawn)
    if len(drawn) < len(links):
        notes = (*notes, "Links over which no fetch succeeded have no curve.")
    return Figure(
        name="distribution",
        title="How the fetches are distributed",
        summary="The share of all fetches whose last byte had come by then.",
        reading=tell_noise_span(measured)
        + "A curve further to the right is slower; one that ends below 100 % had fetches that failed.",
        panels=panels,
        notes=notes,
    )


def draw_phases(measured: Measured) -> Figure:
    """Draw where the time goes: one panel a link, a bar a size and profile."""
    links, notes = keep_links(measured.links)
    rows = measured.phases.with_columns(bar=pl.format("{}, {}", "size", "profile"))
    order = rows.sort("size_bytes", maintain_order=True)["bar"].unique(maintain_order=True).to_list()
    panels = tuple(_phases_panel(rows.filter(pl.col("link") == link), order, measured) for link in links)
    return Figure(
        name="phases",
        title="Where the time goes",
        summary="TCP connect, TLS handshake, waiting for the first byte, and transfer, end to end.",
        reading=tell_noise_span(measured)
        + "The bars end at the chosen percentile of the TTLB. A bar stops where too many fetches failed. "
        "A stroke across a bar is what the packet model expects of the whole fetch, where it knows all of the cell.",
        panels=panels,
        notes=notes,
    )


def _ecdf_panel(rows: pl.DataFrame, profiles: list[str], size: alt.Parameter) -> Panel:
    ratio = rows.group_by("size").agg(pl.col("ttlb_ms").max() / pl.col("ttlb_ms").min())["ttlb_ms"].max()
    wide = isinstance(ratio, float) and ratio > LOGARITHMIC_FROM
    scale = alt.Scale(type="log") if wide else alt.Scale(zero=False)
    chart = (
        alt.Chart(rows.select("profile", "size", "ttlb_ms", "percent"))
        .transform_filter("datum.size === size")
        .mark_line(interpolate="step-after")
        .encode(
            x=alt.X("ttlb_ms:Q", title="TTLB (ms)", scale=scale, axis=alt.Axis(tickCount=5)),
            y=alt.Y("percent:Q", title="Done by then (%)", scale=alt.Scale(domain=[0, 100])),
            color=colour("profile", profiles, None),
            strokeDash=dash("profile", profiles),
            tooltip=tooltips(profile="Profile", size="Size", ttlb_ms="TTLB (ms)|,.1f", percent="Done (%)|.1f"),
        )
    )
    # Lines have no tooltips of their own between their points.
    points = chart.mark_point(size=60, opacity=0).add_params(zoom())
    return chart_panel(rows["where"][0], alt.layer(chart, points).add_params(size))


def _phases_panel(rows: pl.DataFrame, order: list[str], measured: Measured) -> Panel:
    phases = list(PHASES)
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
    layers = alt.layer(chart, *_expected_strokes(known, order, measured))
    return chart_panel(
        rows["where"][0], layers.add_params(percentile_parameter(measured.names)), height=_BAR_HEIGHT * bars + 10
    )


def _expected_strokes(known: pl.DataFrame, order: list[str], measured: Measured) -> list[alt.Chart]:
    """Return a stroke across each bar of a cell with an expectation; no layer where there is none."""
    models = measured.cells.select("cell_id", expected_ms=pl.col("expected_ns") / NS_PER_MS).drop_nulls()
    bars = known.unique("cell_id", maintain_order=True).join(models, on="cell_id", how="inner", maintain_order="left")
    if bars.is_empty():
        return []
    strokes = alt.Chart(bars.select("bar", "expected_ms")).mark_tick(style="expected", thickness=2.5, size=_BAR_HEIGHT)
    return [
        strokes.encode(
            y=alt.Y("bar:N", sort=order, title=None),
            x="expected_ms:Q",
            tooltip=tooltips(bar="Fetch", expected_ms="Expected TTLB (ms)|,.1f"),
        )
    ]
