"""The report of a run, written into its folder."""

from typing import Any

from pqbed.report.write_report import write_report
from pqbed.report.written_files import Written
from pqbed.reproduce import is_study, read_study
from pqbed.reproduce.write_study_report import write_study_report
from pqbed.stats.classify_difference import parse_margin
from pqbed.store.run_directory import open_run
from pqbed_cli.options import ReportOptions
from pqbed_cli.workflows.find_run import find_run, read_baseline
from pqbed_cli.workflows.open_browser import open_page
from pqbed_cli.workflows.show import metric_of, read_metric, read_percentiles, shown_percentiles


def report(options: ReportOptions) -> Written:
    """Write the page and its figures, and open the page if asked to."""
    typed = read_metric(options.metric)
    percentiles, margin = read_percentiles(options.percentile), parse_margin(options.margin)
    with open_run(find_run(options.run, options.out)) as run:
        if is_study(run.path):
            written = write_study_report(run, read_study(run.path).study).written
        else:
            baseline = read_baseline(run, options.baseline)
            metric = typed or metric_of(run)
            percentiles = shown_percentiles(percentiles, metric)
            content: dict[str, Any] = {"baseline": baseline, "percentiles": percentiles, "margin": margin}
            written = write_report(run, metric=metric, resumed_share=options.resumed_share, **content)
    if options.open_page:
        open_page(written.page)
    return written
