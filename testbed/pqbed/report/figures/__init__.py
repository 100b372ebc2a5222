"""Figures, each a function of tables alone; which of them a sweep is worth is decided by what varies in it."""

from pqbed.report.figures.choose import choose_figures
from pqbed.report.figures.figure import Figure, Panel

__all__ = ["Figure", "Panel", "choose_figures"]
