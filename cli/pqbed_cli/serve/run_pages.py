"""The pages of runs: the report of one, made anew only when it has changed, and two side by side."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from pqbed.errors import SpecError
from pqbed.report.figures import Figure
from pqbed.report.page.build_page import PageFrame, build_page, inline_json, numbered, page_data
from pqbed.report.report_content import ReportContent, read_report_content
from pqbed.reproduce.stored_plan import is_study, read_study
from pqbed.reproduce.write_study_report import study_content
from pqbed.spec.metric import METRICS, TTLB, Metric, metric_named
from pqbed.stats.percentiles import DEFAULT_PERCENTILES
from pqbed_cli.options import CompareOptions
from pqbed_cli.render.run_comparison import comparison_table, count_line
from pqbed_cli.serve.pages import POLICY, asset, render
from pqbed_cli.serve.run_states import Runs, RunState
from pqbed_cli.workflows.compare_runs import compare
from pqbed_cli.workflows.show import metric_of, shown_percentiles

_ACROSS = "--across "
# A report of a large run has hundreds of MB of tables.
MOST_KEPT = 6


class RunPages:
    """The reports of the runs of a folder, as they are now."""

    def __init__(self, runs: Runs, base: str) -> None:
        self._runs, self._base = runs, base
        self._contents: dict[tuple[str, str], tuple[str, ReportContent]] = {}
        self._mutex = threading.Lock()  # a report takes all cores: one at a time

    def stamp(self, state: RunState) -> str:
        """Return what changes with what the report of a run says."""
        folder = self._runs.folder / state.name
        files = [folder / name for name in ("manifest.json", "cells.parquet", "calibration.parquet")]
        times = [path.stat().st_mtime_ns if path.exists() else 0 for path in files]
        return "-".join(map(str, (state.state, state.taken, *times)))

    def report(self, name: str, metric: str | None, *, framed: bool = True) -> str:
        """Return the page of the run `name`; not `framed`, as the one file that `pqbed report` writes."""
        state = self._runs.state(name)
        stamp = self.stamp(state)
        content, chosen = self._content(name, metric, stamp)
        if not framed:
            return build_page(content)
        head = render(
            "run_head.html.j2", base=self._base, run=state, stamp=stamp, metric=chosen.name, metrics=list(METRICS)
        )
        scripts = tuple(f"{self._base}{script}" for script in ("vega.js", "charts.js", "live.js"))
        whole = Markup(head)  # noqa: S704 (escaped)
        return build_page(content, PageFrame(policy=POLICY, scripts=scripts, head=whole, style=asset("serve.css")))

    def compare(self, a: str, b: str, across: str, metric: str | None) -> str:
        """Return the page of two runs side by side, with why they cannot be compared if they cannot."""
        names = (a, b)
        contents = [self._content(name, metric, self.stamp(self._runs.state(name)))[0] for name in names]
        compared: dict[str, Any] = {"refused": None, "table": None, "sentence": "", "across": ""}
        try:
            run_a, run_b = (str(self._runs.folder / name) for name in names)
            comparison = compare(CompareOptions(run_a=run_a, run_b=run_b, across=across, metric=metric))
            compared["table"] = comparison_table(comparison.rows, comparison.metric)
            compared["sentence"] = count_line(comparison.rows, comparison.margin)
        except SpecError as error:
            compared["refused"] = error
            compared["across"] = error.hint.partition(_ACROSS)[2]
        figures = [_renamed(content.figures, side) for content, side in zip(contents, "ab", strict=True)]
        flat = [figure for side in figures for figure in side]
        placed = {item["figure"].name: item for item in numbered(flat)}
        order = dict.fromkeys(figure.name.rpartition("-")[0] for figure in flat)
        first = contents[0].data or contents[1].data
        return render(
            "compare.html.j2",
            base=self._base,
            title=f"{b} against {a}",
            a=contents[0],
            b=contents[1],
            pairs=[[placed.get(f"{name}-{side}") for side in "ab"] for name in order],
            percentiles=first.names if first else [],
            sizes=first.sizes if first else [],
            data=inline_json(page_data(flat)),
            **compared,
        )

    def _content(self, name: str, metric: str | None, stamp: str) -> tuple[ReportContent, Metric]:
        run = self._runs.open(name)
        chosen = metric_named(metric) if metric else metric_of(run)
        with self._mutex:
            known = self._contents.get((name, chosen.name))
            if known is None or known[0] != stamp:
                known = stamp, self._read(name, chosen)
            self._contents.pop((name, chosen.name), None)
            self._contents[name, chosen.name] = known  # the last ones asked for, the latest last
            while len(self._contents) > MOST_KEPT:
                del self._contents[next(iter(self._contents))]
        return known[1], chosen

    def _read(self, name: str, metric: Metric) -> ReportContent:
        run = self._runs.open(name)
        if is_study(run.path) and metric is TTLB:
            _, verdicts, content = study_content(run, read_study(run.path).study)
            return replace(read_report_content(run, **content), verdicts=verdicts)
        return read_report_content(run, metric=metric, percentiles=shown_percentiles(DEFAULT_PERCENTILES, metric))


def _renamed(figures: Sequence[Figure], side: str) -> list[Figure]:
    return [replace(figure, name=f"{figure.name}-{side}") for figure in figures]
