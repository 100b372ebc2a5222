"""Writing the report of a run: figures and page, into the run directory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from pqbed.address_space import DRAWING_BYTES, require_address_space
from pqbed.atomic_files import write_atomic
from pqbed.report.cpu_contention import describe_contention
from pqbed.report.figure_files import write_figures
from pqbed.report.figures import Figure, choose_figures
from pqbed.report.page import build_page
from pqbed.report.report_data import ReportData, read_report_data
from pqbed.report.verdict_rows import read_verdicts
from pqbed.report.written_files import Written
from pqbed.spec.metric import TTLB, Metric
from pqbed.stats.classify_difference import DEFAULT_MARGIN, Margin
from pqbed.stats.cpu_contention import count_contended
from pqbed.stats.percentiles import DEFAULT_PERCENTILES
from pqbed.store.run_directory import Run

REPORT_NAME = "report.html"


def write_report(
    run: Run,
    *,
    baseline: str | None = None,
    percentiles: tuple[float, ...] = DEFAULT_PERCENTILES,
    margin: Margin = DEFAULT_MARGIN,
    metric: Metric = TTLB,
    published: pl.DataFrame | None = None,
    draw: Callable[[ReportData], tuple[Figure, ...]] | None = None,
    answer: Sequence[str] = (),
    caveats: Sequence[str] = (),
    figure_files: bool = True,
) -> Written:
    """Write report.html and figures/ into `run`, finished or not. The sweep's first profile is the baseline.

    `draw` replaces the default figures; `published` (over_size.PUBLISHED) is drawn over the increase; `answer` replaces
    the default sentences, and `caveats` come before those of the run itself. Stored verdicts are shown.
    """
    require_address_space(DRAWING_BYTES)
    data = read_report_data(run, baseline, percentiles, margin, metric)
    figures: tuple[Figure, ...] = ()
    if data is not None:
        figures = draw(data) if draw is not None else choose_figures(data, published)
    if metric is not TTLB:
        figures = tuple(replace(figure, name=_of_metric(figure.name, metric)) for figure in figures)
    page = build_page(
        title=run.path.resolve().name,
        folder=run.path,
        manifest=run.manifest,
        data=data,
        figures=figures,
        verdicts=read_verdicts(run.path),
        answer=answer,
        more_caveats=[*caveats, *describe_contention(count_contended(run.samples()))],
        precision=run.precision().collect(),
    )
    path = run.path / (REPORT_NAME if metric is TTLB else f"{_of_metric(Path(REPORT_NAME).stem, metric)}.html")
    write_atomic(path, page.encode())
    files = write_figures(run.path, figures) if figure_files else []
    return Written(page=path, figures=tuple(files))


def _of_metric(name: str, metric: Metric) -> str:
    """Return the name of a file of another metric than TTLB: those of one run stand beside each other."""
    return name if metric.name in name else f"{name}-{metric.name}"
