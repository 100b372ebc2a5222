"""Figures, each a function of tables only, chosen by what varies in a sweep."""

from pqbed.report.figures.choose_figures import choose_figures
from pqbed.report.figures.figure_panels import Figure, Panel

__all__ = ["Figure", "Panel", "choose_figures"]
