"""Figures over the link: a map of the increase by link and size, or points for a single size."""

import altair as alt
import polars as pl

from pqbed.report.figures.figure_panels import (
    Figure,
    Panel,
    at_percentile,
    chart_panel,
    colour,
    describe_noise,
    describe_noise_span,
    finding_tooltips,
    increase_title,
    keep_links,
    percentile_parameter,
    shape,
    tooltips,
    with_interval_text,
)
from pqbed.report.figures.reduce_rows import MOST_MAPPED
from pqbed.report.report_data import ReportData

# From this share of the largest increase on, a tile is dark enough for light text.
STRONG = 0.6
_ROW_HEIGHT = 30
_INCREASE = ("increase", "increase_low", "increase_high", "interval")
_COLUMNS = ("percentile", "profile", "link", "size", *_INCREASE, "noise", "finding")


def draw_map(data: ReportData) -> Figure:
    """Draw a map of the increase: one panel per profile, one row per link, one column per size."""
    links, notes = keep_links(data.links, MOST_MAPPED)
    rows = _compared(data).filter(pl.col("link").is_in(links))
    largest = rows["increase"].abs().max()
    reach = float(largest) if isinstance(largest, int | float) and largest > 0 else 1.0
    panels = tuple(
        _map_panel(f"{profile} against {data.baseline}", some, links, data, reach)
        for profile in data.compared
        if not (some := rows.filter(pl.col("profile") == profile)).is_empty()
    )
    return Figure(
        name="increase-by-link",
        title="Increase by link and size",
        summary=f"Increase of {data.metric.noun} over {data.baseline} in per cent: one row per link, one column per "
        "size.",
        reading=describe_noise_span(data) + "Orange is slower, blue is faster; pale colours are small differences. "
        "A value in brackets was not found to differ: it is equivalent, within noise, or undecided.",
        panels=panels,
        notes=notes,
    )


def draw_increase_by_link(data: ReportData) -> Figure:
    """Draw the increase of one size: one row per link, one point per profile, its interval as a bar."""
    links, notes = keep_links(data.links, MOST_MAPPED)
    rows = _compared(data).filter(pl.col("link").is_in(links))
    by = colour("profile", data.compared, None)
    base = alt.Chart(rows.select(_COLUMNS)).transform_filter(at_percentile())
    y = alt.Y("link:N", sort=links, title=_link_title(data))
    bar = base.mark_rule(strokeWidth=3, opacity=0.4).encode(
        x=alt.X("increase_low:Q", title=increase_title(data)), x2=alt.X2("increase_high:Q"), y=y, color=by
    )
    point = base.mark_point(size=90).encode(
        x=alt.X("increase:Q", title=increase_title(data)),
        y=y,
        color=by,
        shape=shape("profile", data.compared, None),
        tooltip=_tooltips(data),
    )
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(style="zero").encode(x=alt.X("zero:Q"))
    panel = chart_panel(
        f"{data.sizes[0]}, against {data.baseline}",
        (*_noise_bars(rows, y, data), zero, bar, point),
        parameter=percentile_parameter(data.names),
        height=_ROW_HEIGHT * len(links) + 20,
    )
    return Figure(
        name="increase-by-link",
        title="Increase by link",
        summary=f"Increase of {data.metric.noun} over {data.baseline}, for responses of {data.sizes[0]}.",
        reading=f"{describe_noise(data.copy_of)}A coloured bar is the 95% interval; without one there are too few "
        "samples for it.",
        panels=(panel,),
        notes=notes,
    )


def _noise_bars(rows: pl.DataFrame, y: alt.Y, data: ReportData) -> list[alt.Chart]:
    """Draw the noise floor of each link around zero."""
    floors = rows.select("percentile", "link", "noise").unique(maintain_order=True).drop_nulls()
    if floors.is_empty():
        return []
    chart = alt.Chart(floors.with_columns(negative=-pl.col("noise"))).transform_filter(at_percentile())
    x = alt.X("negative:Q", title=increase_title(data))
    shown: alt.Chart = chart.mark_bar(style="noise", size=_ROW_HEIGHT - 6).encode(x=x, x2=alt.X2("noise:Q"), y=y)
    return [shown]


def _map_panel(title: str, rows: pl.DataFrame, links: list[str], data: ReportData, reach: float) -> Panel:
    base = (
        alt.Chart(rows.select(_COLUMNS))
        .transform_filter(at_percentile())
        .encode(
            x=alt.X("size:O", sort=data.sizes, title="Response size", axis=alt.Axis(labelAngle=0, orient="top")),
            y=alt.Y("link:N", sort=links, title=_link_title(data)),
        )
    )
    scale = alt.Scale(domain=[-reach, -reach / 2, 0, reach / 2, reach], range="diverging", interpolate="rgb")
    tile = base.mark_rect().encode(
        color=alt.Color("increase:Q", scale=scale, title="Increase (%)", legend=None), tooltip=_tooltips(data)
    )
    # An increase below 0.05% is shown as 0.0 without a sign.
    number = "abs(datum.increase) < 0.05 ? '0.0' : format(datum.increase, '+.1f')"
    label = f"datum.finding === 'differs' ? {number} : '(' + ({number}) + ')'"
    words = base.transform_calculate(label=f"!isValid(datum.increase) ? '-' : {label}")
    strong = f"isValid(datum.increase) && abs(datum.increase) >= {STRONG * reach:.6g}"
    texts = [
        words.transform_filter(condition).mark_text(style=style).encode(text=alt.Text("label:N"))
        for condition, style in ((strong, "on-strong"), (f"!({strong})", "on-weak"))
    ]
    parameter = percentile_parameter(data.names)
    return chart_panel(title, (tile, *texts), parameter=parameter, height=_ROW_HEIGHT * len(links))


def _compared(data: ReportData) -> pl.DataFrame:
    rows = data.percentiles.filter(pl.col("baseline").is_not_null())
    return with_interval_text(rows, "increase_low", "increase_high", "%")


def _link_title(data: ReportData) -> str | None:
    return ", ".join(data.axes.varying) or None


def _tooltips(data: ReportData) -> list[alt.Tooltip]:
    return tooltips(
        profile="Profile",
        link="Link",
        size="Size",
        percentile="Percentile",
        increase="Increase (%)|+.1f",
        interval="95% interval",
        **finding_tooltips(data.copy_of),
    )
