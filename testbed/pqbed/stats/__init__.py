"""Statistics: quantiles with intervals, increases over a baseline, distributions. Reads the store, knows no bed."""

from pqbed.stats.compare_runs import compare_runs
from pqbed.stats.distributions import tabulate_ecdf, tabulate_phases
from pqbed.stats.percentiles import tabulate_percentiles
from pqbed.stats.run_summary import summarise
from pqbed.stats.sample_grid import MILESTONES, Grid, milestones_of, read_grid

__all__ = [
    "MILESTONES",
    "Grid",
    "compare_runs",
    "milestones_of",
    "read_grid",
    "summarise",
    "tabulate_ecdf",
    "tabulate_percentiles",
    "tabulate_phases",
]
