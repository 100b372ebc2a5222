"""Remedies of a finished run, ranked."""

from collections.abc import Sequence
from pathlib import Path

from pqbed.atomic_files import translate_os_errors
from pqbed.stats.rank_remedies import RankedLink, rank_remedies
from pqbed.store.run_directory import open_run
from pqbed.store.table_schemas import CONDITIONS
from pqbed_cli.options import RemediesOptions
from pqbed_cli.workflow_results import RankedRemedies
from pqbed_cli.workflows.find_run import find_run
from pqbed_cli.workflows.show import DEFAULT_PERCENTILES, summary_rows


def rank(options: RemediesOptions) -> RankedRemedies:
    """Return the remedies of the run that is named, ranked per link."""
    with open_run(find_run(options.run, options.out)) as run:
        links = rank_remedies(summary_rows(run, DEFAULT_PERCENTILES), list(CONDITIONS))
        if options.figure is not None:
            _write_figure(options.figure, links)
        return RankedRemedies(path=run.path, manifest=run.manifest, links=links)


def _write_figure(folder: Path, links: Sequence[RankedLink]) -> None:
    from pqbed.report.figure_files import write_figures
    from pqbed.report.figures.remedies import draw_remedies

    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_figures(folder, [draw_remedies(links, [link.title for link in links])])
