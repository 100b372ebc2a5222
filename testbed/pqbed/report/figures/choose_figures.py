"""Choice of figures: those whose axis varies in the sweep."""

from dataclasses import replace

import polars as pl

from pqbed.report.figures.distributions import draw_ecdf, draw_phases
from pqbed.report.figures.figure_panels import Figure, without_schema_checks
from pqbed.report.figures.over_link import draw_increase_by_link, draw_map
from pqbed.report.figures.over_size import draw_increase, draw_slide, draw_ttlb
from pqbed.report.figures.reduce_rows import reduce_data
from pqbed.report.figures.remedies import draw_remedies_of
from pqbed.report.report_data import ReportData
from pqbed.spec.metric import BYTES, TTLB
from pqbed.spec.remedies import has_remedies


@without_schema_checks
def choose_figures(data: ReportData, published: pl.DataFrame | None = None) -> tuple[Figure, ...]:
    """Return the figures of a run, most informative first; `published` (over_size.PUBLISHED) goes over the increase."""
    helping = [draw_remedies_of(data)] if has_remedies(data.compared) and data.metric is TTLB else []
    data, notes = reduce_data(data)
    several_sizes, several_links = len(data.sizes) > 1, len(data.links) > 1
    compared = data.percentiles["baseline"].is_not_null().any()
    figures = []
    if compared and several_sizes:
        increase = draw_increase(data, published)
        figures += [slide, increase] if (slide := draw_slide(data, increase)) else [increase]
    if compared and several_sizes and several_links:
        figures.append(draw_map(data))
    if compared and not several_sizes:
        figures.append(draw_increase_by_link(data))
    if several_sizes:
        figures.append(draw_ttlb(data))
    figures += [draw_phases(data)] if data.metric.unit == "ms" else []
    figures += [] if data.metric is BYTES else [draw_ecdf(data)]
    return (*helping, *(replace(figure, notes=(*notes, *figure.notes)) for figure in figures))
