"""The report of a run: its figures and its page, written into the run directory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pqbed.atomic_files import write_atomic
from pqbed.report.figures import Figure, choose_figures
from pqbed.report.files import write_figures
from pqbed.report.page import build_page
from pqbed.report.pressure import tell_pressed
from pqbed.report.report_data import Measured, measure
from pqbed.report.verdict import read_verdicts
from pqbed.stats.classify import DEFAULT_MARGIN, Margin
from pqbed.stats.percentiles import DEFAULT_PERCENTILES
from pqbed.stats.pressure import count_contended
from pqbed.store.run import Run

REPORT_NAME = "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where the report lies, and the files of its figures."""

    page: Path
    figures: tuple[Path, ...]


def write_report(
    run: Run,
    *,
    baseline: str | None = None,
    percentiles: tuple[float, ...] = DEFAULT_PERCENTILES,
    margin: Margin = DEFAULT_MARGIN,
    published: pl.DataFrame | None = None,
    draw: Callable[[Measured], tuple[Figure, ...]] | None = None,
    answer: Sequence[str] = (),
    caveats: Sequence[str] = (),
    figure_files: bool = True,
) -> Written:
    """Write report.html and figures/ into `run`, finished or not. The sweep's first profile is the baseline.

    `draw` makes other figures than those chosen from what varies; `published` (over_size.PUBLISHED) is drawn over
    the increase; `answer` is said in place of the usual three sentences, and `caveats` before those that
    the run itself has. Verdicts that the run holds are shown.
    """
    measured = measure(run, baseline, percentiles, margin)
    figures: tuple[Figure, ...] = ()
    if measured is not None:
        figures = draw(measured) if draw is not None else choose_figures(measured, published)
    page = build_page(
        title=run.path.resolve().name,
        folder=run.path,
        manifest=run.manifest,
        measured=measured,
        figures=figures,
        verdicts=read_verdicts(run.path),
        answer=answer,
        more_caveats=[*caveats, *tell_pressed(count_contended(run.samples()))],
        precision=run.precision().collect(),
    )
    write_atomic(run.path / REPORT_NAME, page.encode())
    files = write_figures(run.path, figures) if figure_files else []
    return Written(page=run.path / REPORT_NAME, figures=tuple(files))
