"""Figure: panels with a common style and a text for those who do not see them; building blocks of all charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl
from altair.utils.schemapi import debug_mode

from pqbed.report.report_data import ReportData, noise_span
from pqbed.report.theme import SHAPES
from pqbed.spec.metric import TTLB, Metric

VegaSpec = dict[str, Any]

MOST_PANELS = 12
# For what draws: a schema check of each part of each chart takes half the time of a report. A test checks the whole.
without_schema_checks = debug_mode(False)
HEIGHT = 250
# Wheel and drag scroll the page: a chart reacts to them only with Ctrl, or a mouse button.
ZOOM_WHEEL = "wheel![event.ctrlKey || event.metaKey]"
ZOOM_DRAG = "[mousedown[event.button === 0], window:mouseup] > window:mousemove!"
DASHES = ([1, 0], [7, 4], [2, 3], [9, 3, 2, 3])
# Vega-Lite merges the legends of scales with one domain: this value, which no series has, keeps a scale out of it.
NOT_IN_LEGEND = ""
NO_INTERVAL = "not known: too few samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One chart as Vega-Lite, without a config, as wide as its container."""

    title: str
    spec: VegaSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`name` names its files. `summary` says what it shows, `reading` how to read it, `notes` what is left out.

    `wide`: each panel takes the whole width, one below another.
    """

    name: str
    title: str
    summary: str
    reading: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()
    wide: bool = False


def chart_panel(
    title: str, layers: Sequence[alt.Chart], *, parameter: alt.Parameter | None = None, height: int = HEIGHT
) -> Panel:
    """Return `layers` as a panel, not held against Vega-Lite's schema: that is a test's, and costs more than drawing.

    The chart is made in one step: each change of one with layers copies all of them several times.
    """
    first, *others = layers
    if parameter is not None:
        first = first.add_params(parameter)
    chart = alt.layer(first, *others, width="container", description=title, height=height)
    return Panel(title=title, spec=chart.to_dict(validate=False))


def percentile_parameter(names: Sequence[str]) -> alt.Parameter:
    """Return the parameter that the page's percentile control sets."""
    return alt.param("percentile", value=names[0])


def at_percentile() -> str:
    """Return the filter that keeps the rows of the chosen percentile."""
    return "datum.percentile === percentile"


def zoom() -> alt.Parameter:
    """Return panning by dragging and zooming by wheel with Ctrl; a double click resets both."""
    return alt.selection_interval(bind="scales", name="zoom", zoom=ZOOM_WHEEL, translate=ZOOM_DRAG)


def legend(labels: Sequence[str], title: str | None, columns: int | None = None) -> alt.Legend:
    """Return a legend below the chart, in as many columns as the labels leave room for on a phone."""
    longest = max(map(len, labels), default=0)
    fitting = 4 if longest <= 6 else 3 if longest <= 12 else 2 if longest <= 18 else 1
    return alt.Legend(title=title, columns=columns or fitting)


def colour(field: str, labels: Sequence[str], title: str | None) -> alt.Color:
    """Return the colour of a series; the same label has the same colour in every panel."""
    return alt.Color(
        f"{field}:N", title=title, sort=list(labels), scale=alt.Scale(domain=list(labels)), legend=legend(labels, title)
    )


def fill(field: str, labels: Sequence[str]) -> alt.Fill:
    """Return the colour of a series' band: the same, without a legend of its own."""
    return alt.Fill(f"{field}:N", sort=list(labels), scale=alt.Scale(domain=[*labels, NOT_IN_LEGEND]), legend=None)


def dash(field: str, labels: Sequence[str]) -> alt.StrokeDash:
    """Return the dashes of a series' line, so that a line below another shows through."""
    dashes = [DASHES[number % len(DASHES)] for number in range(len(labels) + 1)]
    scale = alt.Scale(domain=[*labels, NOT_IN_LEGEND], range=dashes)
    return alt.StrokeDash(f"{field}:N", sort=list(labels), scale=scale, legend=None)


def shape(field: str, labels: Sequence[str], title: str | None) -> alt.Shape:
    """Return the shape of a series' points, so that it can be told apart without colour."""
    shapes = [SHAPES[number % len(SHAPES)] for number in range(len(labels))]
    return alt.Shape(
        f"{field}:N",
        title=title,
        sort=list(labels),
        scale=alt.Scale(domain=list(labels), range=shapes),
        legend=legend(labels, title),
    )


def size_axis(sizes_kib: Sequence[float]) -> alt.X:
    """Return the axis of the response size, with ticks at the measured sizes."""
    ticks = sorted(set(sizes_kib))
    spread = len(ticks) > 2 and ticks[-1] > 50 * max(ticks[1], 1)
    scale = alt.Scale(type="symlog", constant=max(ticks[1], 1)) if spread else alt.Scale(nice=False, padding=8)
    axis = alt.Axis(values=ticks, labelOverlap="greedy", grid=False)
    return alt.X("size_kib:Q", title="Response size (KiB)", scale=scale, axis=axis)


def with_interval_text(rows: pl.DataFrame, low: str, high: str, unit: str, places: int = 1) -> pl.DataFrame:
    """Add `interval`: the ends as text with `unit` (` ms`, `%`), or why there are none."""
    text = pl.format("{} to {}{}", pl.col(low).round(places), pl.col(high).round(places), pl.lit(unit))
    known = pl.col(low).is_not_null() & pl.col(high).is_not_null()
    return rows.with_columns(interval=pl.when(known).then(text).otherwise(pl.lit(NO_INTERVAL)))


def tooltips(**fields: str) -> list[alt.Tooltip]:
    """Return tooltips by field: `Title` or `Title|format`."""
    parts = {field: text.partition("|") for field, text in fields.items()}
    return [
        alt.Tooltip(f"{field}:Q", title=title, format=form) if form else alt.Tooltip(f"{field}:N", title=title)
        for field, (title, _, form) in parts.items()
    ]


def increase_title(data: ReportData) -> str:
    """Return the title of an axis with increases."""
    return f"Increase of {data.metric.title if data.metric is TTLB else data.metric.noun} (%)"


def value_title(metric: Metric) -> str:
    """Return the title of an axis with values: `TTLB (ms)`."""
    return metric.title if metric.unit == "bytes" else f"{metric.title} ({metric.unit})"


def describe_noise(copy_of: str | None, *, several: bool = False) -> str:
    """Return how to read the noise floor in a figure; `several` links in one panel show the largest."""
    if copy_of is None:
        return ""
    which = " (the largest of the links)" if several else ""
    return f"Grey around zero is the noise floor{which}: the largest difference between two equal arms, at 95%. "


def describe_noise_span(data: ReportData) -> str:
    """Return the noise floor as a sentence, for figures without a zero line; "" without an A/A arm."""
    span = noise_span(data.percentiles["noise"])
    return "" if span is None else f"Two equal arms differ by at most {span} (noise floor). "


def finding_tooltips(copy_of: str | None) -> dict[str, str]:
    """Return the tooltips of the finding, and of the noise floor if there is an A/A arm."""
    return {**({"noise": "Noise (±%)|.1f"} if copy_of else {}), "finding": "Finding"}


def keep_links(links: Sequence[str], most: int = MOST_PANELS) -> tuple[list[str], tuple[str, ...]]:
    """Return the links to draw, and a note on the others."""
    left = len(links) - most
    note = (f"The first {most} of {len(links)} links are drawn; the table of cells has all of them.",)
    return list(links[:most]), note if left > 0 else ()
