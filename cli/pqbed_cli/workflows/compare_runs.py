"""Two runs compared."""

from pqbed.stats.classify_difference import parse_margin
from pqbed.stats.compare_runs import compare_runs
from pqbed.store.run_directory import open_run
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
            cells={run.path: run.cells().collect().to_dicts() for run in (a, b)},
        )
