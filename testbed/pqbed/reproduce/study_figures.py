"""Figures of a study on their published axes: published values beside ours."""

from collections.abc import Mapping
from dataclasses import replace

import altair as alt
import polars as pl

from pqbed.report.figures.figure_panels import (
    Figure,
    Panel,
    chart_panel,
    colour,
    dash,
    tooltips,
    with_interval_text,
    without_schema_checks,
    zoom,
)
from pqbed.report.figures.over_size import PUBLISHED, draw_increase
from pqbed.report.report_data import FINEST_CURVE, reduce_grid
from pqbed.reproduce.measured_results import Results
from pqbed.reproduce.published_numbers import Published
from pqbed.spec.study import StudyFigure
from pqbed.stats.bootstrap_estimates import QuantileEstimator, increase, mean
from pqbed.stats.distributions import tabulate_ecdf
from pqbed.stats.percentiles import DEFAULT_PERCENTILES, percentile_name
from pqbed.units import format_size

NS_PER_MS = 1_000_000
_DIAMONDS = "Diamonds are published values, as far as the text gives numbers; two at the same position are a range."


@without_schema_checks
def draw_study(results: Results, published: Mapping[str, Published]) -> tuple[Figure, ...]:
    """Return the figures of the study in its order."""
    draw = {"bars": _draw_bars, "lines": _draw_lines, "curves": _draw_curves}
    return tuple(
        replace(
            draw[figure.kind](
                figure, results, [number for number in published.values() if number.figure == figure.number]
            ),
            name=f"figure-{figure.number}",
            title=f"Figure {figure.number}: {figure.title}",
        )
        for figure in results.study.figures
    )


def _draw_lines(figure: StudyFigure, results: Results, published: list[Published]) -> Figure:
    """Draw the increase over size, one line per percentile."""
    (sweep,) = figure.sweeps
    rows = results.rows(sweep)
    data = reduce_grid(results.part(rows, with_cpu=True), results.cells[rows], results.baseline(sweep))
    drawn = draw_increase(data, _increases_published(published))
    return replace(drawn, reading=f"{_DIAMONDS} {drawn.reading}", notes=(*drawn.notes, _definition(results)))


def _draw_bars(figure: StudyFigure, results: Results, published: list[Published]) -> Figure:
    """Draw the mean increase over the links of a sweep, one bar per percentile and profile."""
    (sweep,) = figure.sweeps
    profiles = [profile.name for profile in results.study.sweeps[sweep].profiles]
    table = with_interval_text(_mean_increases(results, sweep, profiles), "low", "high", "%")
    links = len(results.rows(sweep, profiles[0]))
    return Figure(
        name="",
        title="",
        summary=f"Increase of the handshake over {profiles[0]}: mean of {links} links.",
        reading="The line on a bar is the 95% interval, if there are enough samples for it. "
        "Diamonds: the height of the smaller bar at the published ratio to the larger one.",
        panels=(_bars_panel(table, profiles[1:], _bars_published(table, profiles, published)),),
        notes=(_definition(results),),
    )


def _mean_increases(results: Results, sweep: str, profiles: list[str]) -> pl.DataFrame:
    times = QuantileEstimator(results.times(with_cpu=True))
    base_rows = results.rows(sweep, profiles[0])
    rows = []
    for percentile in DEFAULT_PERCENTILES:
        share = percentile / 100
        for profile in profiles[1:]:
            pairs = zip(results.rows(sweep, profile), base_rows, strict=True)
            value = mean([increase(times.quantile(arm, share), times.quantile(base, share)) for arm, base in pairs])
            low, high = value.interval or (None, None)
            rows.append((percentile_name(percentile), profile, value.point, low, high))
    kinds = {
        "percentile": pl.String,
        "profile": pl.String,
        "increase": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
    }
    return pl.DataFrame(rows, schema=kinds, orient="row").fill_nan(None)


def _bars_published(table: pl.DataFrame, profiles: list[str], published: list[Published]) -> pl.DataFrame:
    """Return the height of the second profile's bar at the published ratio of the last one's to it."""
    ratios = [number for number in published if number.unit == "times" and number.percentile is not None]
    larger = {row["percentile"]: row["increase"] for row in table.to_dicts() if row["profile"] == profiles[-1]}
    rows = [
        (name, profiles[1], larger[name] / number.value, number.words)
        for number in ratios
        if larger.get(name := percentile_name(number.percentile or 50)) is not None
    ]
    kinds = {"percentile": pl.String, "profile": pl.String, "increase": pl.Float64, "source": pl.String}
    return pl.DataFrame(rows, schema=kinds, orient="row")


def _bars_panel(table: pl.DataFrame, profiles: list[str], published: pl.DataFrame) -> Panel:
    base = alt.Chart(table).encode(
        x=alt.X("percentile:N", title="Percentile", axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("profile:N", sort=profiles),
    )
    bars = base.mark_bar().encode(
        y=alt.Y("increase:Q", title="Increase of the handshake (%)"),
        color=colour("profile", profiles, None),
        tooltip=tooltips(
            profile="Profile", percentile="Percentile", increase="Increase (%)|+.1f", interval="95% interval"
        ),
    )
    ends = base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q"))
    layers = [bars, ends]
    if not published.is_empty():
        points = alt.Chart(published).mark_point(style="published")
        layers.append(
            points.encode(
                x=alt.X("percentile:N"), xOffset=alt.XOffset("profile:N", sort=profiles), y=alt.Y("increase:Q")
            )
        )
    return chart_panel("Handshake, all links together", layers)


def _draw_curves(figure: StudyFigure, results: Results, published: list[Published]) -> Figure:
    """Draw the ECDF of TTLB, one curve per sweep."""
    parts = []
    for sweep in figure.sweeps:
        rows = results.rows(sweep)
        cells = results.cells[rows]
        curve = tabulate_ecdf(results.part(rows, with_cpu=True), cells, FINEST_CURVE)
        parts.append(curve.select(line=pl.lit(sweep), ttlb_ms=pl.col("value_ns") / NS_PER_MS, share="share"))
    cell = results.cells[results.rows(figure.sweeps[0])].row(0, named=True)
    return Figure(
        name="",
        title="",
        summary=f"{cell['profile']}, {format_size(cell['size_bytes'])}: share of fetches that were complete by then.",
        notes=(_definition(results),),
        reading=f"{_DIAMONDS} A curve further to the right is slower.",
        panels=(_curves_panel(pl.concat(parts), list(figure.sweeps), _times_published(published)),),
    )


def _curves_panel(curves: pl.DataFrame, lines: list[str], published: pl.DataFrame) -> Panel:
    x = alt.X("ttlb_ms:Q", title="TTLB (ms)", axis=alt.Axis(tickCount=6))
    y = alt.Y("share:Q", title="CDF", scale=alt.Scale(domain=[0, 1]))
    base = alt.Chart(curves).encode(x=x, y=y, color=colour("line", lines, None))
    drawn = base.mark_line(interpolate="step-after").encode(strokeDash=dash("line", lines))
    points = base.mark_point(size=60, opacity=0).encode(
        tooltip=tooltips(line="Link", ttlb_ms="TTLB (ms)|,.1f", share="Share done|.2f")
    )
    layers = [drawn, points.add_params(zoom())]
    if not published.is_empty():
        layers.append(
            alt.Chart(published)
            .mark_point(style="published")
            .encode(x=x, y=y, tooltip=tooltips(source="Published", ttlb_ms="TTLB (ms)|,.0f"))
        )
    return chart_panel("35 ms", layers)


def _increases_published(numbers: list[Published]) -> pl.DataFrame:
    rows = [
        (None, None, percentile_name(number.percentile), number.size_kib, value, number.words)
        for number in numbers
        for value in (number.value, number.value_to)
        if number.unit == "%" and value is not None and number.size_kib is not None and number.percentile is not None
    ]
    return pl.DataFrame(rows, schema=PUBLISHED, orient="row")


def _times_published(numbers: list[Published]) -> pl.DataFrame:
    rows = [(number.value, (number.percentile or 0) / 100, number.words) for number in numbers if number.unit == "ms"]
    return pl.DataFrame(rows, schema={"ttlb_ms": pl.Float64, "share": pl.Float64, "source": pl.String}, orient="row")


def _definition(results: Results) -> str:
    """Return what the numbers include."""
    parts = "Network and CPU together." if results.costs else f"CPU: {results.no_cpu}."
    if not results.study.empty_is_handshake:
        return parts
    return f"At 0 KiB only the handshake, without a request, as in the study. {parts}"
