"""Two runs compared."""

from collections.abc import Sequence

from pqbed.report.run_mixtures import read_mixed
from pqbed.spec.metric import Metric
from pqbed.stats.block_bootstrap import SEED
from pqbed.stats.classify_difference import parse_margin
from pqbed.stats.compare_runs import compare_runs
from pqbed.stats.mixtures import Mixed
from pqbed.store.run_directory import Run, open_run
from pqbed_cli.options import CompareOptions
from pqbed_cli.workflow_results import Comparison
from pqbed_cli.workflows.find_run import find_run
from pqbed_cli.workflows.gate import gate_comparison
from pqbed_cli.workflows.show import metric_of, read_metric, read_percentiles, shown_percentiles


def compare(options: CompareOptions) -> Comparison:
    percentiles, margin = read_percentiles(options.percentile), parse_margin(options.margin)
    typed = read_metric(options.metric)
    across = tuple(name.strip() for name in options.across.split(",") if name.strip())
    with open_run(find_run(options.run_a, options.out)) as a, open_run(find_run(options.run_b, options.out)) as b:
        gate = gate_comparison(a, b, across, options)
        metric = typed or metric_of(b)
        percentiles = shown_percentiles(percentiles, metric)
        table = compare_runs(a, b, percentiles, across=across, milestone=metric.quantity, margin=margin)
        return Comparison(
            a=a.path,
            b=b.path,
            across=across,
            margin=margin,
            metric=metric,
            rows=table.rename({f"{side}_ns": f"{side}_{metric.suffix}" for side in "ab"}).to_dicts(),
            gate=gate,
            mixed=_mixed(a, b, percentiles, options.resumed_share, metric),
            cells={run.path: run.cells().collect().to_dicts() for run in (a, b)},
        )


def _mixed(
    a: Run, b: Run, percentiles: Sequence[float], resumed_share: str | None, metric: Metric
) -> list[tuple[Mixed, Mixed]]:
    """Return the mixtures that both runs have. They share no blocks, so their draws are of different seeds."""
    sides = [
        {one.key: one for one in read_mixed(run, percentiles, resumed_share, metric=metric, seed=SEED + number)}
        for number, run in enumerate((a, b))
    ]
    return [(one, sides[1][key]) for key, one in sides[0].items() if key in sides[1]]
