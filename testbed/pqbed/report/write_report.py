"""Writing the report of a run: figures and page, into the run directory."""

from collections.abc import Callable, Sequence

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
    data = read_report_data(run, baseline, percentiles, margin)
    figures: tuple[Figure, ...] = ()
    if data is not None:
        figures = draw(data) if draw is not None else choose_figures(data, published)
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
    write_atomic(run.path / REPORT_NAME, page.encode())
    files = write_figures(run.path, figures) if figure_files else []
    return Written(page=run.path / REPORT_NAME, figures=tuple(files))
