"""Which figures a sweep is worth: those whose axis varies in it."""

import polars as pl

from pqbed.report.figures.distributions import draw_ecdf, draw_phases
from pqbed.report.figures.figure import Figure
from pqbed.report.figures.over_link import draw_increase_by_link, draw_map
from pqbed.report.figures.over_size import draw_increase, draw_ttlb
from pqbed.report.report_data import Measured


def choose_figures(measured: Measured, published: pl.DataFrame | None = None) -> tuple[Figure, ...]:
    """Return the figures of a run, most telling first. `published` is drawn over the increase (over_size.PUBLISHED)."""
    several_sizes, several_links = len(measured.sizes) > 1, len(measured.links) > 1
    compared = measured.percentiles["baseline"].is_not_null().any()
    figures = []
    if compared and several_sizes:
        figures.append(draw_increase(measured, published))
    if compared and several_sizes and several_links:
        figures.append(draw_map(measured))
    if compared and not several_sizes:
        figures.append(draw_increase_by_link(measured))
    if several_sizes:
        figures.append(draw_ttlb(measured))
    figures += [draw_phases(measured), draw_ecdf(measured)]
    return tuple(figures)
