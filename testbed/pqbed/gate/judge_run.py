"""Verdicts on the thresholds of one run."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from pqbed.gate.threshold_verdict import Estimate, ThresholdVerdict, decide
from pqbed.spec.axis_words import describe_link
from pqbed.spec.cell import Cell
from pqbed.spec.threshold import COUNTS, TIMES, Threshold, refuse_unmeasured
from pqbed.stats.classify_difference import DEFAULT_MARGIN
from pqbed.stats.compare_arms import Arms, compare_arms
from pqbed.stats.quantiles import Floats, interval_exists, quantile, quantile_interval, samples_needed
from pqbed.stats.sample_grid import read_grid
from pqbed.units import format_size

# Of a normal distribution, for 95%.
_Z = 1.959964


def judge_run(
    samples: pl.LazyFrame,
    table: pl.DataFrame,
    cells: Mapping[str, Cell],
    thresholds: Sequence[Threshold],
    baseline: str | None = None,
) -> list[ThresholdVerdict]:
    """Hold `thresholds` against every cell that they concern, in their order and that of the cells `table`.

    `baseline` None: the first profile. Raises SpecError for a threshold that concerns no cell.
    """
    base = table["profile"][0] if baseline is None else baseline
    refuse_unmeasured(thresholds, list(cells.values()), base)
    judge = _Judge(samples, table, cells, base)
    return [verdict for threshold in thresholds for verdict in judge.verdicts(threshold)]


def describe_conditions(cell: Cell) -> str:
    """Return the conditions of a cell in words."""
    return f"{describe_link(cell.link, cell.tcp)}, size {format_size(cell.workload.size_bytes)}"


class _Judge:
    def __init__(self, samples: pl.LazyFrame, table: pl.DataFrame, cells: Mapping[str, Cell], baseline: str) -> None:
        self._samples = samples
        self._table = table
        self._ids: list[str] = table["cell_id"].to_list()
        self._cells = cells
        self._baseline = baseline
        self._grid = read_grid(samples, table, TIMES)

    def verdicts(self, threshold: Threshold) -> Iterator[ThresholdVerdict]:
        estimates = self._estimates(threshold)
        for row, cell_id in enumerate(self._ids):
            cell = self._cells[cell_id]
            if not threshold.concerns(cell) or (threshold.increase and cell.profile.name == self._baseline):
                continue
            status = decide(estimates[row], threshold)
            yield ThresholdVerdict(
                threshold=threshold,
                cell_id=cell_id,
                profile=cell.profile.name,
                where=describe_conditions(cell),
                estimate=estimates[row],
                status=status,
                why=self._reason(row, threshold) if status == "unknown" else "",
            )

    def _estimates(self, threshold: Threshold) -> list[Estimate]:
        """Return the estimate of each row of the cells table."""
        if threshold.metric == "failures":
            return self._failures(share=threshold.unit == "%")
        if threshold.metric == "bytes":
            return [Estimate.exact(_bytes(row)) for row in self._table.to_dicts()]
        q = _share(threshold)
        if threshold.increase:
            return self._increases(threshold.metric, q)
        if threshold.metric in COUNTS:
            return [_of_values(values, q) for values in self._counts(threshold.metric)]
        return [_of_values(row[~np.isnan(row)], q) for row in self._grid.values[threshold.metric]]

    def _increases(self, metric: str, q: float) -> list[Estimate]:
        arms = Arms.of(self._table, self._baseline)
        compared = compare_arms(self._grid.values[metric], arms, [q], DEFAULT_MARGIN)
        rows = zip(*compared.increases[0], np.nan_to_num(compared.noise_pct[0]), strict=True)
        return [Estimate(value=value, low=low, high=high, noise=noise) for value, low, high, noise in rows]

    def _failures(self, *, share: bool) -> list[Estimate]:
        rows = self._grid.counts.select("n", "n_failed").rows()
        return [_share_of(failed, count) if share else Estimate.exact(failed) for count, failed in rows]

    def _counts(self, column: str) -> list[Floats]:
        counted = self._samples.filter(pl.col(column).is_not_null()).group_by("cell_id").agg(column).collect()
        by_cell = dict(zip(counted["cell_id"], counted[column], strict=True))
        return [np.asarray(by_cell.get(cell_id, []), dtype=np.float64) for cell_id in self._ids]

    def _reason(self, row: int, threshold: Threshold) -> str:
        """Return why an estimate has no interval."""
        if threshold.metric == "bytes":
            return "the sizes of this stack were not learned"
        count, q = self._grid.counts["n"][row], _share(threshold)
        if not interval_exists(count, q):
            return f"{count} samples are too few for an interval: p{100 * q:g} takes {samples_needed(q)}"
        return "too many fetches failed"


def _share(threshold: Threshold) -> float:
    return (threshold.percentile or 50.0) / 100


def _of_values(values: Floats, q: float) -> Estimate:
    ordered = np.sort(values)
    low, high = quantile_interval(ordered, q)
    return Estimate(value=quantile(ordered, q), low=low, high=high)


def _share_of(failed: int, count: int) -> Estimate:
    """Return the share in per cent with its score interval (Wilson 1927)."""
    if not count:
        return Estimate(value=math.nan, low=math.nan, high=math.nan)
    share, weight = failed / count, _Z**2 / count
    middle = (share + weight / 2) / (1 + weight)
    half = _Z / (1 + weight) * math.sqrt(share * (1 - share) / count + weight / (4 * count))
    return Estimate(value=100 * share, low=100 * max(0.0, middle - half), high=100 * min(1.0, middle + half))


def _bytes(row: Mapping[str, object]) -> float:
    """Return the bytes of the handshake's flights in both directions, as they are on the wire; NaN if not learned."""
    parts = [row.get(name) for name in ("client_hello_bytes", "server_flight_bytes", "client_flight_bytes")]
    return float(sum(part for part in parts if isinstance(part, int))) if None not in parts else math.nan
