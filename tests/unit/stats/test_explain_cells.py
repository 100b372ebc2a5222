"""Cells of a run explained: measured beside expected and floor, what loss did, and what physics does not allow."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.spec.link import RandomLoss
from pqbed.stats.explain_cells import Explained, Explainer
from pqbed.store.cells_table import tabulate_cells
from pqbed.store.run_directory import create_run
from pqbed.store.table_schemas import SAMPLES
from pqbed_cli.render.explain import explained_lines, to_program
from support.sweeps import manifest, sample, small_plan
from support.units import MS

PLAN = small_plan(loss=(RandomLoss(), RandomLoss(probability_ppm=10_000)))
WIRE = {"classic": 1_715, "pq": 11_172}


def cell_where(profile: str = "pq", loss_ppm: int = 0, rtt_ms: int = 35, size: int = 51_200) -> str:
    return next(
        identity
        for identity, cell in PLAN.cells.items()
        if (cell.profile.name, cell.link.loss.probability_ppm) == (profile, loss_ppm)
        and (cell.link.rtt_ns, cell.workload.size_bytes) == (rtt_ms * MS, size)
    )


@pytest.fixture
def explain(tmp_path: Path) -> Callable[..., Any]:
    """Return a function that explains a cell of a run with these samples: (cell, milliseconds, other timings)."""

    def explained(identity: str, *rows: tuple[Any, ...]) -> Explained:
        with create_run(tmp_path, "x", manifest(), {}) as run:
            for number, (cell, ttlb_ms, timings) in enumerate(rows):
                values = {"tls_done_ns": 3000 * MS, "tcp_connect_ns": 37 * MS, "last_byte_ns": ttlb_ms * MS, **timings}
                one = sample(number, **values)
                run.journal(0).append(replace(one, fetch=replace(one.fetch, cell_id=cell)))
            explainer = Explainer(run.samples(), tabulate_cells(PLAN, WIRE), PLAN.cells)
            (found,) = explainer.explain([identity])
            return found

    return explained


def test_measured_expected_and_floor_stand_side_by_side(explain: Callable[..., Any]) -> None:
    pq, classic = cell_where(), cell_where("classic")
    found = explain(pq, (pq, 690, {}), (pq, 692, {}), (pq, 694, {}), (classic, 568, {}))
    assert (found.samples, found.failed, found.p50_ns, found.baseline_p50_ns) == (3, 0, 692 * MS, 568 * MS)
    # What a guest measured in this cell: 689.5 ms, and 566.0 ms for the baseline.
    assert found.expected.last_byte_ns == pytest.approx(689.5 * MS, rel=1e-3)
    assert found.floor_ns < found.expected.last_byte_ns
    assert found.breakdown.difference_ns == pytest.approx(123.5 * MS, rel=1e-2)
    assert found.losses is None
    assert found.below == ()


def test_the_baseline_has_no_account(explain: Callable[..., Any]) -> None:
    classic = cell_where("classic")
    found = explain(classic, (classic, 568, {}))
    assert (found.baseline, found.breakdown) == (None, None)


def test_a_sample_below_the_floor_is_named(explain: Callable[..., Any]) -> None:
    pq = cell_where()
    found = explain(pq, (pq, 690, {}), (pq, 600, {}), (pq, 690, {"tls_done_ns": 100 * MS}))
    (below,) = found.below
    assert (below.repetition, below.milestone, below.least_ns) == (1, "last_byte_ns", 600 * MS)
    assert below.least_ns < below.floor_ns


def test_loss_is_told_as_retransmissions_lost_syns_and_time_outs(explain: Callable[..., Any]) -> None:
    lossy = cell_where(loss_ppm=10_000)
    failed = {"outcome": "timeout", "last_byte_ns": None, "retransmits": 9}
    found = explain(
        lossy,
        (lossy, 700, {"retransmits": 0}),
        (lossy, 1800, {"retransmits": 2, "tcp_connect_ns": 1037 * MS}),
        (lossy, 1750, {"retransmits": 1, "tcp_connect_ns": 1036 * MS}),
        (lossy, 0, failed),
    )
    assert (found.losses.lost_syns, found.losses.connected, found.losses.gave_up) == (((1, 1),), 4, 1)
    assert (found.tcp_info["retransmits_p50"], found.tcp_info["retransmits_p90"]) == (1.5, pytest.approx(6.9))
    assert found.failed == 1


def test_what_the_clients_tcp_saw_stands_below_a_cell_that_lost_something(explain: Callable[..., Any]) -> None:
    clean, lossy = cell_where(), cell_where(loss_ppm=10_000)
    quiet = {"retransmits": 0, "lost": 0, "cwnd": 10}
    shown = "\n".join(explained_lines([explain(lossy, (lossy, 700, quiet), (lossy, 900, quiet | {"retransmits": 3}))]))
    assert "\n  TCP of the client (p50, p90): retransmits 1.5, 2.7; lost 0, 0; cwnd 10, 10" in shown
    assert "queue drops" not in shown
    assert "TCP of the client" not in "\n".join(explained_lines([explain(clean, (clean, 700, quiet))]))
    dropped = explain(clean, (clean, 700, quiet | {"queue_drops": 2}))
    assert explained_lines([dropped])[-1].endswith("cwnd 10, 10; queue drops 2, 2")
    assert to_program(dropped)["tcp_info"]["queue_drops_p90"] == 2


def test_a_cell_without_samples_is_explained_all_the_same(explain: Callable[..., Any]) -> None:
    found = explain(cell_where(loss_ppm=10_000))
    assert (found.samples, found.p50_ns, found.tcp_info) == (0, None, {})
    assert found.breakdown.reasons


def test_exact_sizes_come_from_the_cells_table() -> None:
    table = tabulate_cells(PLAN, WIRE).with_columns(chain_wire_bytes=pl.lit(30_000))
    (found,) = Explainer(SAMPLES.to_frame().lazy(), table, PLAN.cells).explain([cell_where()])
    assert found.expected.server_flight.payload_bytes > 30_000


def test_a_median_in_the_censored_part_is_not_known(explain: Callable[..., Any]) -> None:
    pq = cell_where()
    failed = {"outcome": "timeout", "last_byte_ns": None}
    found = explain(pq, (pq, 690, {}), (pq, 0, failed), (pq, 0, failed))
    assert (found.samples, found.failed, found.p50_ns) == (3, 2, None)
