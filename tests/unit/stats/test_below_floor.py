"""Which samples count as below the floor: by more than the clocks can be off."""

from typing import Any

import polars as pl
import pytest

from pqbed.stats.below_floor import SLEW_PPM, TICK_NS, Below, find_below_floor
from pqbed.store.table_schemas import CELLS, SAMPLES, conform

FLOOR = 300_000_000
CELL = conform(
    pl.DataFrame({"cell_id": ["a"], "profile": ["pq"], "floor_ns": [FLOOR], "floor_tls_done_ns": [200_000_000]}), CELLS
)


def below(clock: str = "virtual", cells: pl.DataFrame = CELL, **timings: Any) -> list[Below]:
    row = {"cell_id": "a", "repetition": 7, "outcome": "ok", "clock": clock, **timings}
    return find_below_floor(conform(pl.DataFrame([row]), SAMPLES).lazy(), cells)


@pytest.mark.parametrize(("clock", "slack"), [("virtual", TICK_NS), ("real", TICK_NS + FLOOR * SLEW_PPM // 1_000_000)])
def test_a_sample_may_be_short_of_the_floor_by_what_clocks_are_off(clock: str, slack: int) -> None:
    assert below(clock, last_byte_ns=FLOOR - slack) == []
    (found,) = below(clock, last_byte_ns=FLOOR - slack - 1)
    assert (found.cell_id, found.milestone, found.samples, found.repetition) == ("a", "last_byte_ns", 1, 7)
    assert (found.least_ns, found.floor_ns) == (FLOOR - slack - 1, FLOOR)


def test_it_is_told_in_one_sentence() -> None:
    (found,) = below(tls_done_ns=190_000_000, last_byte_ns=FLOOR)
    assert found.sentence() == (
        "a sample of cell a (pq) lies below the floor: the end of the handshake of repetition 7 came after 190.000 ms, "
        "and cannot before 200.000 ms"
    )


def test_a_cell_is_named_once_by_the_last_milestone_that_came_too_early() -> None:
    assert [one.milestone for one in below(tls_done_ns=1, last_byte_ns=2)] == ["last_byte_ns"]


def test_a_fetch_over_another_group_has_other_floors() -> None:
    assert below(outcome="wrong_group", tls_done_ns=1, last_byte_ns=1) == []


def test_what_a_failed_fetch_reached_counts() -> None:
    assert [one.milestone for one in below(outcome="timeout", tls_done_ns=1)] == ["tls_done_ns"]


def test_cells_of_an_older_run_have_no_floor() -> None:
    assert below(cells=CELL.with_columns(pl.lit(None, pl.Int64).alias("floor_ns")), last_byte_ns=1) == []


def test_several_samples_are_counted_in_the_plural() -> None:
    rows = [
        {
            "cell_id": "a",
            "repetition": repetition,
            "outcome": "ok",
            "clock": "virtual",
            "last_byte_ns": 290_000_000 + repetition,
        }
        for repetition in (2, 1)
    ]
    (found,) = find_below_floor(conform(pl.DataFrame(rows), SAMPLES).lazy(), CELL)
    assert found.sentence() == (
        "2 samples of cell a (pq) lie below the floor: the last byte of repetition 1 came after 290.000 ms, "
        "and cannot before 300.000 ms"
    )
    assert found._replace(floor_ns=1_000_000_000_000).sentence().endswith("and cannot before 1,000,000.000 ms")
