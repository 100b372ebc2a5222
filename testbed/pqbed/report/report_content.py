"""Content of a report: everything that its page says and draws of a run, before it is a page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pqbed.address_space import DRAWING_BYTES, require_address_space
from pqbed.report.cpu_contention import describe_contention
from pqbed.report.figures import Figure, choose_figures
from pqbed.report.narrative import describe_result
from pqbed.report.report_data import ReportData, read_report_data
from pqbed.report.run_mixtures import read_mixed
from pqbed.report.verdict_rows import Verdict, read_verdicts
from pqbed.spec.metric import TTLB, Metric
from pqbed.stats.classify_difference import DEFAULT_MARGIN, Margin
from pqbed.stats.cpu_contention import count_contended
from pqbed.stats.mixtures import Mixed
from pqbed.stats.percentiles import DEFAULT_PERCENTILES
from pqbed.store.manifest import Manifest
from pqbed.store.run_directory import Run

_EMPTY = ("There are no samples yet.",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """`folder` is that of the run; `data` None without a sample. `caveats` come before those of the run itself."""

    folder: Path
    manifest: Manifest
    data: ReportData | None
    figures: tuple[Figure, ...]
    answer: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    caveats: tuple[str, ...]
    precision: pl.DataFrame
    mixed: tuple[Mixed, ...] = ()

    @property
    def title(self) -> str:
        return self.folder.resolve().name


def read_report_content(
    run: Run,
    *,
    baseline: str | None = None,
    percentiles: tuple[float, ...] = DEFAULT_PERCENTILES,
    margin: Margin = DEFAULT_MARGIN,
    metric: Metric = TTLB,
    resumed_share: str | None = None,
    published: pl.DataFrame | None = None,
    draw: Callable[[ReportData], tuple[Figure, ...]] | None = None,
    answer: Sequence[str] = (),
    caveats: Sequence[str] = (),
) -> ReportContent:
    """Return the content for `run`, finished or not. The sweep's first profile is the baseline.

    `draw` replaces the default figures; `published` (over_size.PUBLISHED) is drawn over the increase; `answer` replaces
    the default sentences, and `caveats` come before those of the run itself. Stored verdicts are shown.
    `resumed_share` as typed mixes full and resumed connections in place of the sweep's mixtures.
    """
    require_address_space(DRAWING_BYTES)
    data = read_report_data(run, baseline, percentiles, margin, metric)
    figures: tuple[Figure, ...] = ()
    if data is not None:
        figures = draw(data) if draw is not None else choose_figures(data, published)
    if metric is not TTLB:
        figures = tuple(replace(figure, name=name_of_metric(figure.name, metric)) for figure in figures)
    return ReportContent(
        folder=run.path,
        manifest=run.manifest,
        data=data,
        figures=figures,
        answer=tuple(answer) or tuple(filter(None, describe_result(data) if data else _EMPTY)),
        verdicts=tuple(read_verdicts(run.path)),
        caveats=(*caveats, *describe_contention(count_contended(run.samples()))),
        precision=run.precision().collect(),
        mixed=tuple(
            read_mixed(run, percentiles, resumed_share, metric=metric, margin=margin, baseline=baseline)
            if data is not None
            else ()
        ),
    )


def name_of_metric(name: str, metric: Metric) -> str:
    """Return the name of a file of another metric than TTLB: those of one run stand beside each other."""
    return name if metric is TTLB or metric.name in name else f"{name}-{metric.name}"
