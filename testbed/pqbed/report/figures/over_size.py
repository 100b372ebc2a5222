"""Figures over the response size: the increase over the baseline, and TTLB itself."""

from dataclasses import replace

import altair as alt
import polars as pl

from pqbed.report.figures.figure_panels import (
    MOST_PANELS,
    Figure,
    Panel,
    at_percentile,
    chart_panel,
    colour,
    dash,
    describe_noise,
    describe_noise_span,
    fill,
    finding_tooltips,
    increase_title,
    keep_links,
    percentile_parameter,
    shape,
    size_axis,
    tooltips,
    value_title,
    with_interval_text,
    zoom,
)
from pqbed.report.report_data import ReportData
from pqbed.report.theme import MOST_SERIES
from pqbed.report.varying_axes import ONE_LINK, Axes
from pqbed.spec.metric import TTLB, Metric

# Columns that a table of published values may have; `link` and `profile` narrow a value down to some panels or series.
PUBLISHED = pl.Schema(
    {
        "profile": pl.String,
        "link": pl.String,
        "percentile": pl.String,
        "size_kib": pl.Float64,
        "increase": pl.Float64,
        "source": pl.String,
    }
)
_VALUE_SUMMARIES = {
    "ttlb": "From the start of the connection to the last byte of the response.",
    "tls": "From the start of the connection to the end of the TLS handshake.",
    "first_byte": "From the start of the connection to the first byte of the response.",
    "connect": "From the start of the connection to the end of the handshake of TCP.",
    "bytes": "TLS records of the handshake, in both directions.",
    "retransmits": "Segments that the client sent again.",
}
_READING = (
    "A coloured band is the 95% interval; without one there are too few samples for it. "
    "Hold Ctrl and turn the wheel to zoom, drag to move, double-click to reset."
)


def draw_increase(data: ReportData, published: pl.DataFrame | None = None) -> Figure:
    """Draw the increase of TTLB over size: one panel per profile, one line per link (or per percentile of one link)."""
    one_link = len(data.links) == 1
    inner = data.axes.inner(MOST_SERIES)
    outer = [name for name in data.axes.varying if name not in inner]
    rows = _increases(data, inner, outer)
    panels = []
    for profile in data.compared:
        for group in rows["group"].unique(maintain_order=True):
            some = rows.filter(pl.col("profile") == profile, pl.col("group") == group)
            if some.is_empty():
                continue
            title = f"{profile} against {data.baseline}" + (f", {group}" if outer else "")
            overlay = _published(published, profile, some)
            panels.append(_increase_panel(title, some, data, one_link, overlay))
    kept = tuple(panels[:MOST_PANELS])
    return Figure(
        name="increase-over-size",
        title="Increase over the response size",
        summary=_summarise(data),
        reading=_describe_reading(data, published),
        panels=kept,
        notes=(f"The first {MOST_PANELS} of {len(panels)} panels are drawn.",) if len(kept) < len(panels) else (),
    )


def draw_slide(data: ReportData, increase: Figure) -> Figure | None:
    """Return the panel of `increase` that says most: of the profile that costs most; None if it has just one."""
    if len(increase.panels) < 2:
        return None
    rows = data.percentiles.filter(pl.col("percentile") == data.names[0], pl.col("baseline").is_not_null())
    worst = rows.sort("increase", descending=True, nulls_last=True)["profile"][0]
    title = f"{worst} against {data.baseline}"
    panel = next((panel for panel in increase.panels if panel.title.startswith(title)), increase.panels[0])
    return replace(increase, name="slide", title="What it costs", panels=(panel,), notes=())


def _summarise(data: ReportData) -> str:
    if data.metric is TTLB:
        return f"How much longer a fetch takes than with {data.baseline}, in per cent of its TTLB."
    return f"How much larger {data.metric.noun} {_is(data.metric)} than with {data.baseline}, in per cent."


def _is(metric: Metric) -> str:
    return "is" if metric.unit == "ms" else "are"


def _describe_reading(data: ReportData, published: pl.DataFrame | None) -> str:
    diamonds = "" if published is None else "Open diamonds are published values. "
    return f"{diamonds}{describe_noise(data.copy_of, several=len(data.links) > 1)}{_READING}"


def draw_ttlb(data: ReportData) -> Figure:
    """Draw TTLB over size: one panel per link, one line per profile."""
    links, notes = keep_links(data.links)
    rows = with_interval_text(data.percentiles, "low", "high", f" {data.metric.unit}")
    profiles = data.cells["profile"].unique(maintain_order=True).to_list()
    panels = tuple(_ttlb_panel(rows.filter(pl.col("link") == link), profiles, data) for link in links)
    return Figure(
        name="ttlb-over-size" if data.metric is TTLB else f"{data.metric.name}-over-size",
        title=f"{_value_name(data.metric)} over the response size",
        summary=_VALUE_SUMMARIES[data.metric.name],
        reading=describe_noise_span(data) + _READING,
        panels=panels,
        notes=notes,
    )


def _value_name(metric: Metric) -> str:
    return "Time to last byte" if metric is TTLB else metric.title


def _increases(data: ReportData, inner: tuple[str, ...], outer: list[str]) -> pl.DataFrame:
    rows = data.percentiles.filter(pl.col("baseline").is_not_null())
    named = {row["cell_id"]: row for row in data.cells.to_dicts()}
    axes: Axes = data.axes
    labelled = rows.with_columns(
        series=pl.Series([axes.label(named[cell], inner) or ONE_LINK for cell in rows["cell_id"]], dtype=pl.String),
        group=pl.Series([axes.title(named[cell], outer) for cell in rows["cell_id"]], dtype=pl.String),
    )
    return with_interval_text(labelled, "increase_low", "increase_high", "%")


def _increase_panel(
    title: str, rows: pl.DataFrame, data: ReportData, one_link: bool, published: pl.DataFrame | None
) -> Panel:
    """Draw bands, lines and points. For one link all percentiles are drawn, and the chosen one is highlighted."""
    field = "percentile" if one_link else "series"
    labels = rows[field].unique(maintain_order=True).to_list()
    legend_title = "Percentile" if one_link else ", ".join(data.axes.inner(MOST_SERIES))
    stands_out = alt.condition(at_percentile(), alt.value(1.0), alt.value(0.45)) if one_link else alt.value(1.0)
    columns = ("percentile", "series", "size", "size_kib", "increase", "increase_low", "increase_high", "interval")
    base = alt.Chart(rows.select(*columns, "noise", "finding"))
    base = base.encode(x=size_axis(data.cells["size_kib"].to_list()))
    if not one_link:
        base = base.transform_filter(at_percentile())
    by = colour(field, labels, legend_title)
    value = alt.Y("increase:Q", title=increase_title(data))
    band = base.mark_area(style="band").encode(
        y=alt.Y("increase_low:Q", title=increase_title(data)), y2=alt.Y2("increase_high:Q"), fill=fill(field, labels)
    )
    line = base.mark_line().encode(y=value, color=by, strokeDash=dash(field, labels), opacity=stands_out)
    points = base.mark_point().encode(
        y=value,
        color=by,
        shape=shape(field, labels, legend_title),
        opacity=stands_out,
        tooltip=tooltips(
            series="Link",
            size="Size",
            percentile="Percentile",
            increase="Increase (%)|+.1f",
            interval="95% interval",
            **finding_tooltips(data.copy_of),
        ),
    )
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(style="zero").encode(y=alt.Y("zero:Q"))
    layers: list[alt.Chart] = [*_noise_band(rows, data), zero, band, line, points.add_params(zoom())]
    if published is not None:
        layers.append(_overlay(published, one_link))
    return chart_panel(title, layers, parameter=percentile_parameter(data.names))


def _noise_band(rows: pl.DataFrame, data: ReportData) -> list[alt.Chart]:
    """Draw the noise floor around zero; of several links in a panel, the largest."""
    floors = rows.group_by("percentile", "size_kib", maintain_order=True).agg(pl.col("noise").max()).drop_nulls()
    if floors.is_empty():
        return []
    x = size_axis(data.cells["size_kib"].to_list())
    chart = alt.Chart(floors.with_columns(negative=-pl.col("noise"))).transform_filter(at_percentile())
    y = alt.Y("negative:Q", title=increase_title(data))
    shown: alt.Chart = chart.mark_area(style="noise").encode(x=x, y=y, y2=alt.Y2("noise:Q"))
    return [shown]


def _overlay(published: pl.DataFrame, one_link: bool) -> alt.Chart:
    chart = alt.Chart(published).mark_point(style="published")
    if not one_link:
        chart = chart.transform_filter(at_percentile())
    shown: alt.Chart = chart.encode(
        x=alt.X("size_kib:Q"),
        y=alt.Y("increase:Q"),
        tooltip=tooltips(source="Published", percentile="Percentile", increase="Increase (%)|+.1f"),
    )
    return shown


def _published(published: pl.DataFrame | None, profile: str, rows: pl.DataFrame) -> pl.DataFrame | None:
    """Return the published values of a panel: those of its profile and links, or without either."""
    if published is None:
        return None
    full = published.select(
        pl.col(name).cast(kind) if name in published.columns else pl.lit(None, kind).alias(name)
        for name, kind in PUBLISHED.items()
    )
    links = rows["link"].unique().to_list()
    of_profile = pl.col("profile").is_null() | (pl.col("profile") == profile)
    of_link = pl.col("link").is_null() | pl.col("link").is_in(links)
    own = full.filter(of_profile, of_link)
    return None if own.is_empty() else own


def _ttlb_panel(rows: pl.DataFrame, profiles: list[str], data: ReportData) -> Panel:
    columns = ("percentile", "profile", "size", "size_kib", "value", "low", "high", "interval")
    base = alt.Chart(rows.select(columns)).transform_filter(at_percentile())
    base = base.encode(x=size_axis(data.cells["size_kib"].to_list()))
    by, title = colour("profile", profiles, None), value_title(data.metric)
    value = alt.Y("value:Q", title=title, scale=alt.Scale(zero=True))
    band = base.mark_area(style="band").encode(
        y=alt.Y("low:Q", title=title), y2=alt.Y2("high:Q"), fill=fill("profile", profiles)
    )
    line = base.mark_line().encode(y=value, color=by, strokeDash=dash("profile", profiles))
    points = base.mark_point().encode(
        y=value,
        color=by,
        shape=shape("profile", profiles, None),
        tooltip=tooltips(
            profile="Profile", size="Size", percentile="Percentile", value=f"{title}|,.1f", interval="95% interval"
        ),
    )
    layers = (band, line, points.add_params(zoom()))
    return chart_panel(rows["where"][0], layers, parameter=percentile_parameter(data.names))
