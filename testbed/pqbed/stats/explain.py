"""Why cells cost what they cost: what was measured, what was expected, the floor, and the account of the difference."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pqbed.expect import Account, Exchange, Expected, account_difference, exchange_of, expect_fetch
from pqbed.model import handshake_floor_ns, mean_loss_ppm, ttlb_floor_ns
from pqbed.net.shape import SIDES, congestion_control_of, loss_of
from pqbed.spec.cell import Cell
from pqbed.spec.link import queue_of
from pqbed.spec.parse import format_queue
from pqbed.stats.grid import find_baselines
from pqbed.stats.quantiles import quantile

# TCP sends a SYN again after a second (RFC 6298), so a connect so much longer than the RTT lost one.
LOST_SYN_NS = 1_000_000_000
# Sizes that are computed may be off by some bytes: signatures of ECDSA vary, and so does what a client says of itself.
SLACK_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What loss did in a cell. Retransmissions are the client's, which TCP_INFO tells of its own socket alone."""

    retransmits_p50: float | None
    retransmits_p90: float | None
    lost_syns: int
    connected: int
    timeouts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BelowFloor:
    """A sample that is faster than physics allows: its link was not what was asked."""

    cell_id: str
    repetition: int
    milestone: str
    measured_ns: int
    floor_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One cell. `floor_ns` and `expected` are for a fetch without loss; `account` is None for the baseline's own."""

    cell_id: str
    cell: Cell
    row: Mapping[str, Any]
    samples: int
    failed: int
    p50_ns: float | None
    baseline: str | None
    baseline_p50_ns: float | None
    floor_ns: int
    expected: Expected
    account: Account | None
    losses: Losses | None
    below: tuple[BelowFloor, ...]

    @property
    def caveats(self) -> tuple[str, ...]:
        """Name what in the cell the expectation leaves out, besides loss."""
        link, tcp = self.cell.link, self.cell.tcp
        controls = {congestion_control_of(tcp, side) for side in SIDES}
        queue = format_queue(queue_of(link))
        return (
            *((f"segmentation {link.segmentation}",) if link.segmentation != "wire" else ()),
            *((f"congestion control {'/'.join(sorted(controls))}",) if controls != {"cubic"} else ()),
            *(("jitter",) if link.jitter_ns else ()),
            *((f"drops: more packets come than queue {queue} has room for",) if self.expected.overflows else ()),
        )


class Explainer:
    """Explains cells of one run; what is expected of a cell is worked out once, and only where it is asked for."""

    def __init__(
        self, samples: pl.DataFrame, table: pl.DataFrame, cells: Mapping[str, Cell], baseline: str | None = None
    ) -> None:
        """Take the samples and the cells table of a run, and its `cells` by their ids; `baseline` None: the first."""
        self._rows = table.to_dicts()
        self._bases = find_baselines(table, table["profile"][0] if baseline is None else baseline)
        self._cells = cells
        self._none = samples.clear()
        self._samples = {str(key[0]): own for key, own in samples.partition_by("cell_id", as_dict=True).items()}
        self._expected: dict[int, Expected] = {}

    def explain(self, wanted: Collection[str]) -> list[Explained]:
        """Explain the cells with these ids, in the order of the table, each against the baseline's alike."""
        return [self._explain(number) for number, row in enumerate(self._rows) if row["cell_id"] in wanted]

    def _explain(self, number: int) -> Explained:
        row, base = self._rows[number], self._bases[number]
        cell, own = self._cells[row["cell_id"]], self._samples_of(number)
        floors = _floors(cell, self._exchange(number))
        expected = self._expect(number)
        return Explained(
            cell_id=row["cell_id"],
            cell=cell,
            row=row,
            samples=own.height,
            failed=own.filter(pl.col("outcome") != "ok").height,
            p50_ns=_median(own),
            baseline=None if base is None else self._rows[base]["profile"],
            baseline_p50_ns=None if base is None else _median(self._samples_of(base)),
            floor_ns=floors["last_byte_ns"],
            expected=expected,
            account=None if base is None else account_difference(cell, expected, self._expect(base)),
            losses=_losses(own, cell),
            below=tuple(_below(own, floors)),
        )

    def _samples_of(self, number: int) -> pl.DataFrame:
        return self._samples.get(self._rows[number]["cell_id"], self._none)

    def _expect(self, number: int) -> Expected:
        if number not in self._expected:
            self._expected[number] = expect_fetch(self._cells[self._rows[number]["cell_id"]], self._exchange(number))
        return self._expected[number]

    def _exchange(self, number: int) -> Exchange:
        row = self._rows[number]
        return exchange_of(self._cells[row["cell_id"]], row["chain_wire_bytes"], row["client_chain_wire_bytes"])


def _floors(cell: Cell, exchange: Exchange) -> dict[str, int]:
    """Return the floors, with some slack for sizes that are not known to the byte."""
    server = exchange.server_bytes - SLACK_BYTES
    client, hello = exchange.client_bytes - SLACK_BYTES, sum(exchange.client_hello) - SLACK_BYTES
    response = sum(exchange.response) - SLACK_BYTES
    return {
        "tls_done_ns": handshake_floor_ns(cell, server, hello),
        "last_byte_ns": ttlb_floor_ns(cell, server, client, response),
    }


def _below(samples: pl.DataFrame, floors: Mapping[str, int]) -> Sequence[BelowFloor]:
    return [
        BelowFloor(
            cell_id=row["cell_id"],
            repetition=row["repetition"],
            milestone=milestone,
            measured_ns=row[milestone],
            floor_ns=floor_ns,
        )
        for milestone, floor_ns in floors.items()
        for row in samples.filter((pl.col("outcome") == "ok") & (pl.col(milestone) < floor_ns)).to_dicts()
    ]


def _median(samples: pl.DataFrame) -> float | None:
    """Return the median TTLB, what failed being longer than all that did not; None where it is among these."""
    values = samples.select(pl.when(pl.col("outcome") == "ok").then("last_byte_ns").cast(pl.Float64)).to_series()
    found = quantile(np.sort(values.fill_null(math.inf).to_numpy()), 0.5)
    return found if math.isfinite(found) else None


def _losses(samples: pl.DataFrame, cell: Cell) -> Losses | None:
    if not any(mean_loss_ppm(loss_of(cell.link, side)) for side in SIDES):
        return None
    connects = samples["tcp_connect_ns"].drop_nulls()
    retransmits = samples["retransmits"].drop_nulls()
    return Losses(
        retransmits_p50=_quantile(retransmits, 0.5),
        retransmits_p90=_quantile(retransmits, 0.9),
        lost_syns=int((connects >= cell.link.rtt_ns + LOST_SYN_NS).sum()),
        connected=connects.len(),
        timeouts=samples.filter(pl.col("outcome") == "timeout").height,
    )


def _quantile(values: pl.Series, share: float) -> float | None:
    return None if values.is_empty() else quantile(np.sort(values.cast(pl.Float64).to_numpy()), share)
