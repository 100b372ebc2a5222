"""Explanation of cells: measured, expected and floor times, the breakdown of the difference, losses and TCP_INFO."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pqbed.errors import SpecError
from pqbed.model.difference_breakdown import Breakdown, break_down_difference
from pqbed.model.floor_and_expectation import floors_of, is_lossy, unknowns
from pqbed.model.simulate.connection import ExpectedFetch, list_packets, simulate_fetch
from pqbed.model.tls_exchange import Exchange, known_exchange
from pqbed.spec.cell import Cell
from pqbed.stats.below_floor import Below, find_below_floor
from pqbed.stats.connection_phases import phases_of
from pqbed.stats.expected_times import bound_cells
from pqbed.stats.sample_aggregates import aggregate_samples
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
    """One cell. `floor_ns` and `expected` are for a fetch without loss.

    `breakdown` is None for the baseline's own, and where the baseline's sizes on the wire are not known. `unknown`
    names what the expectation does not model, apart from loss. `tcp_info` has the columns of
    `tcp_info_summary.TCP_INFO` without the id; empty without a sample. `dropped` names the packets of a drop list, as
    a fetch that loses nothing has them.
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
    dropped: tuple[str, ...]
    tcp_info: Mapping[str, float | None]
    below: tuple[Below, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A cell that cannot be explained, and why."""

    cell_id: str
    profile: str
    reason: str


class Explainer:
    """Explains cells of one run; the expectation of a cell is computed once, on demand."""

    def __init__(
        self, samples: pl.LazyFrame, table: pl.DataFrame, cells: Mapping[str, Cell], baseline: str | None = None
    ) -> None:
        """Take the samples and the cells table of a run, and its `cells` by id; `baseline` None: the first profile."""
        self._samples = samples
        self._table = table
        self._rows = table.to_dicts()
        self._bases = find_baselines(table, table["profile"][0] if baseline is None else baseline)
        self._cells = cells
        self._expected: dict[int, ExpectedFetch] = {}

    def left_out(self, wanted: Collection[str]) -> list[LeftOut]:
        """Return those of the cells `wanted` whose bytes on the wire are not known, so that nothing can be expected."""
        return [
            LeftOut(cell_id=row["cell_id"], profile=row["profile"], reason=reason)
            for number, row in enumerate(self._rows)
            if row["cell_id"] in wanted and (reason := self._why_unknown(number))
        ]

    def explain(self, wanted: Collection[str]) -> list[Explained]:
        """Explain the cells with these ids in the order of the table, each against its baseline.

        Raises SpecError for one that is `left_out`.
        """
        numbers = [number for number, row in enumerate(self._rows) if row["cell_id"] in wanted]
        bases = {base for number in numbers if (base := self._bases[number]) is not None}
        ids = [row["cell_id"] for number, row in enumerate(self._rows) if number in bases | set(numbers)]
        table = bound_cells(self._table.filter(pl.col("cell_id").is_in(ids)), self._cells)
        samples = self._samples.filter(pl.col("cell_id").is_in(list(wanted)))
        measured = _Measured(
            aggregates=aggregate_samples(self._samples.filter(pl.col("cell_id").is_in(ids)), table),
            tcp_info={row.pop("cell_id"): row for row in tabulate_tcp_info(samples).to_dicts()},
            below=find_below_floor(samples, table),
        )
        rows = {row["cell_id"]: row for row in table.to_dicts()}
        return [self._explain(number, rows[self._rows[number]["cell_id"]], measured) for number in numbers]

    def _explain(self, number: int, row: Mapping[str, Any], measured: "_Measured") -> Explained:
        cell_id, base = row["cell_id"], self._bases[number]
        cell, own = self._cells[cell_id], measured.aggregates.get(cell_id, {})
        of_base = {} if base is None else measured.aggregates.get(self._rows[base]["cell_id"], {})
        expected, learned = self._expect(number), sizes_from_row(row) is not None
        phases = phases_of(retries=cell.profile.retries)
        return Explained(
            cell_id=cell_id,
            cell=cell,
            row=row,
            samples=own.get("samples") or 0,
            failed=own.get("failed") or 0,
            p50_ns=own.get("ttlb_p50_ns"),
            baseline=None if base is None else self._rows[base]["profile"],
            baseline_p50_ns=of_base.get("ttlb_p50_ns"),
            floor_ns=floors_of(cell, self._exchange(number), learned=learned).last_byte_ns,
            expected=expected,
            unknown=unknowns(cell, expected, learned=learned),
            breakdown=self._break_down(cell, expected, base),
            phases=tuple(_phase_time(own, phase) for phase in phases),
            losses=_losses(own, expected.last_byte_ns, phases[1:]) if is_lossy(cell) else None,
            dropped=self._name_dropped(number, cell) if cell.link.drop else (),
            tcp_info=measured.tcp_info.get(cell_id, {}),
            below=tuple(below for below in measured.below if below.cell_id == cell_id),
        )

    def _break_down(self, cell: Cell, expected: ExpectedFetch, base: int | None) -> Breakdown | None:
        if base is None or self._why_unknown(base):
            return None
        return break_down_difference(cell, expected, self._expect(base))

    def _name_dropped(self, number: int, cell: Cell) -> tuple[str, ...]:
        """Return the packets of the drop list by direction, number and name: `up 1 (SYN)`."""
        packets = list_packets(cell, self._exchange(number))
        ways = (("up", cell.link.drop.up, packets["client"]), ("down", cell.link.drop.down, packets["server"]))
        return tuple(
            f"{way} {drop} ({sent[drop - 1] if drop <= len(sent) else 'sent only after a loss, if at all'})"
            for way, drops, sent in ways
            for drop in drops
        )

    def _expect(self, number: int) -> ExpectedFetch:
        if number not in self._expected:
            self._expected[number] = simulate_fetch(self._cells[self._rows[number]["cell_id"]], self._exchange(number))
        return self._expected[number]

    def _why_unknown(self, number: int) -> str:
        try:
            self._exchange(number)
        except SpecError as error:
            return error.message
        return ""

    def _exchange(self, number: int) -> Exchange:
        row = self._rows[number]
        chains = row["chain_wire_bytes"], row["client_chain_wire_bytes"]
        return known_exchange(self._cells[row["cell_id"]], *chains, sizes_from_row(row))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What was measured in the cells that are explained, and in their baselines (`aggregates`)."""

    aggregates: Mapping[str, Mapping[str, Any]]
    tcp_info: Mapping[str, Mapping[str, float | None]]
    below: list[Below]


def _phase_time(own: Mapping[str, Any], phase: str) -> PhaseTime:
    return PhaseTime(phase=phase, p50_ns=own.get(f"phase_{phase}_ns"), extra_rtts=own.get(f"extra_{phase}_rtts"))


def _losses(own: Mapping[str, Any], lossless_ns: int, phases: Sequence[str]) -> Losses:
    costs = [None if (ttlb := own.get(f"ttlb_{name}_ns")) is None else ttlb - lossless_ns for name in ("p50", "p90")]
    return Losses(
        connected=own.get("connected") or 0,
        lost_syns=tuple(sorted((own.get("lost_syns") or {}).items())),
        hello_again=own.get("hello_again") or 0,
        stalls={phase: own.get(f"stalled_{phase}") or 0 for phase in phases},
        untouched=own.get("untouched") or 0,
        cost_p50_ns=costs[0],
        cost_p90_ns=costs[1],
        gave_up=own.get("timeouts") or 0,
    )
