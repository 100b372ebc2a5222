"""Writing the report of a run: figures and page, into the run directory."""

from pathlib import Path
from typing import Any

from pqbed.atomic_files import write_atomic
from pqbed.report.figure_files import write_figures
from pqbed.report.page import build_page
from pqbed.report.report_content import name_of_metric, read_report_content
from pqbed.report.written_files import Written
from pqbed.spec.metric import TTLB, Metric
from pqbed.store.run_directory import Run

REPORT_NAME = "report.html"


def write_report(run: Run, *, metric: Metric = TTLB, figure_files: bool = True, **content: Any) -> Written:
    """Write report.html and figures/ into `run`, finished or not; `content` as `read_report_content` takes it."""
    read = read_report_content(run, metric=metric, **content)
    path = run.path / f"{name_of_metric(Path(REPORT_NAME).stem, metric)}.html"
    write_atomic(path, build_page(read).encode())
    files = write_figures(run.path, read.figures) if figure_files else []
    return Written(page=path, figures=tuple(files))
