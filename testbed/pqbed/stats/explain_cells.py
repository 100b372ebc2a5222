"""Explanation of cells: measured, expected and floor times, the breakdown of the difference, losses and TCP_INFO."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pqbed.model.difference_breakdown import Breakdown, break_down_difference
from pqbed.model.floor_and_expectation import floors_of, is_lossy, unknowns
from pqbed.model.simulate.connection import ExpectedFetch, simulate_fetch
from pqbed.model.tls_exchange import Exchange, known_exchange
from pqbed.spec.cell import Cell
from pqbed.stats.below_floor import Below, find_below_floor
from pqbed.stats.connection_phases import AFTER_CONNECT, PHASES, tabulate_sample_phases
from pqbed.stats.expected_times import bound_cells
from pqbed.stats.quantiles import quantile
from pqbed.stats.sample_grid import find_baselines
from pqbed.stats.tcp_info_summary import tabulate_tcp_info
from pqbed.store.wire_size_columns import sizes_from_row


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTime:
    """One phase of a cell: its median in ns, and its excess over a fetch without loss in RTTs."""

    phase: str
    p50_ns: float | None
    extra_rtts: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Effects of loss in a cell, counted over its samples (stats/connection_phases.py).

    `lost_syns`: (number of SYNs lost, samples with that number). `stalls`: phase -> samples that stalled in it;
    `untouched` samples stalled nowhere and lost no SYN. A cost is the excess of a percentile over a fetch without loss
    in ns; None if the percentile is censored.
    """

    connected: int
    lost_syns: tuple[tuple[int, int], ...]
    hello_again: int
    stalls: Mapping[str, int]
    untouched: int
    cost_p50_ns: float | None
    cost_p90_ns: float | None
    gave_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One cell. `floor_ns` and `expected` are for a fetch without loss; `breakdown` is None for the baseline's own.

    `unknown` names what the expectation does not model, apart from loss. `tcp_info` has the columns of
    `stats.tcp_info.TCP_INFO` without the id; empty without a sample.
    """

    cell_id: str
    cell: Cell
    row: Mapping[str, Any]
    samples: int
    failed: int
    p50_ns: float | None
    baseline: str | None
    baseline_p50_ns: float | None
    floor_ns: int
    expected: ExpectedFetch
    unknown: tuple[str, ...]
    breakdown: Breakdown | None
    phases: tuple[PhaseTime, ...]
    losses: Losses | None
    tcp_info: Mapping[str, float | None]
    below: tuple[Below, ...]


class Explainer:
    """Explains cells of one run; the expectation of a cell is computed once, on demand."""

    def __init__(
        self, samples: pl.DataFrame, table: pl.DataFrame, cells: Mapping[str, Cell], baseline: str | None = None
    ) -> None:
        """Take the samples and the cells table of a run, and its `cells` by id; `baseline` None: the first profile."""
        table = bound_cells(table, cells)
        self._rows = table.to_dicts()
        self._bases = find_baselines(table, table["profile"][0] if baseline is None else baseline)
        self._cells = cells
        self._samples = _by_cell(samples.filter(pl.col("outcome") != "lost"))
        self._phases = _by_cell(tabulate_sample_phases(samples.lazy(), table).collect())
        self._none = samples.clear(), tabulate_sample_phases(samples.clear().lazy(), table).collect()
        tcp_info = tabulate_tcp_info(samples.lazy())
        self._tcp_info = {row.pop("cell_id"): row for row in tcp_info.to_dicts()}
        self._below = find_below_floor(samples.lazy(), table)
        self._expected: dict[int, ExpectedFetch] = {}

    def explain(self, wanted: Collection[str]) -> list[Explained]:
        """Explain the cells with these ids in the order of the table, each against its baseline."""
        return [self._explain(number) for number, row in enumerate(self._rows) if row["cell_id"] in wanted]

    def _explain(self, number: int) -> Explained:
        row, base = self._rows[number], self._bases[number]
        cell_id = row["cell_id"]
        cell, own = self._cells[cell_id], self._samples_of(number)
        phases = self._phases.get(cell_id, self._none[1])
        expected, learned = self._expect(number), sizes_from_row(row) is not None
        return Explained(
            cell_id=cell_id,
            cell=cell,
            row=row,
            samples=own.height,
            failed=own.filter(pl.col("outcome") != "ok").height,
            p50_ns=_ttlb(own, 0.5),
            baseline=None if base is None else self._rows[base]["profile"],
            baseline_p50_ns=None if base is None else _ttlb(self._samples_of(base), 0.5),
            floor_ns=floors_of(cell, self._exchange(number), learned=learned).last_byte_ns,
            expected=expected,
            unknown=unknowns(cell, expected, learned=learned),
            breakdown=None if base is None else break_down_difference(cell, expected, self._expect(base)),
            phases=tuple(_phase_time(phases, phase) for phase in PHASES),
            losses=_losses(own, phases, expected.last_byte_ns) if is_lossy(cell) else None,
            tcp_info=self._tcp_info.get(cell_id, {}),
            below=tuple(below for below in self._below if below.cell_id == cell_id),
        )

    def _samples_of(self, number: int) -> pl.DataFrame:
        return self._samples.get(self._rows[number]["cell_id"], self._none[0])

    def _expect(self, number: int) -> ExpectedFetch:
        if number not in self._expected:
            self._expected[number] = simulate_fetch(self._cells[self._rows[number]["cell_id"]], self._exchange(number))
        return self._expected[number]

    def _exchange(self, number: int) -> Exchange:
        row = self._rows[number]
        chains = row["chain_wire_bytes"], row["client_chain_wire_bytes"]
        return known_exchange(self._cells[row["cell_id"]], *chains, sizes_from_row(row))


def _by_cell(table: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {str(key[0]): own for key, own in table.partition_by("cell_id", as_dict=True).items()}


def _ttlb(samples: pl.DataFrame, q: float) -> float | None:
    """Return a quantile of the TTLB; None if it is censored by failed fetches."""
    values = samples.select(pl.when(pl.col("outcome") == "ok").then("last_byte_ns").cast(pl.Float64)).to_series()
    ttlb_ns = quantile(np.sort(values.fill_null(math.inf).to_numpy()), q)
    return ttlb_ns if math.isfinite(ttlb_ns) else None


def _phase_time(phases: pl.DataFrame, phase: str) -> PhaseTime:
    return PhaseTime(
        phase=phase,
        p50_ns=_quantile(phases[f"phase_{phase}_ns"].drop_nulls(), 0.5),
        extra_rtts=_quantile(phases[f"extra_{phase}_rtts"].drop_nulls(), 0.5),
    )


def _losses(samples: pl.DataFrame, phases: pl.DataFrame, lossless_ns: int) -> Losses:
    syns = phases["lost_syns"].drop_nulls()
    counts = syns.filter(syns > 0).value_counts().sort("lost_syns").rows()
    waits = [pl.col(f"stalled_{phase}").fill_null(value=False) for phase in AFTER_CONNECT]
    touched = pl.any_horizontal(*waits, pl.col("lost_syns") > 0)
    costs = [_ttlb(samples, q) for q in (0.5, 0.9)]
    return Losses(
        connected=syns.len(),
        lost_syns=tuple(counts),
        hello_again=int(phases["hello_again"].sum()),
        stalls={phase: int(phases[f"stalled_{phase}"].sum()) for phase in AFTER_CONNECT},
        untouched=phases.filter(pl.col("outcome") == "ok").select((~touched).sum()).item(),
        cost_p50_ns=None if costs[0] is None else costs[0] - lossless_ns,
        cost_p90_ns=None if costs[1] is None else costs[1] - lossless_ns,
        gave_up=samples.filter(pl.col("outcome") == "timeout").height,
    )


def _quantile(values: pl.Series, q: float) -> float | None:
    return None if values.is_empty() else quantile(np.sort(values.cast(pl.Float64).to_numpy()), q)
