import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pqbed.beds.fake_bed import FakeBed
from pqbed.errors import SpecError, StoreError
from pqbed.runner import run_sweep
from pqbed.stats import summarise
from pqbed.store.table_schemas import CELLS, SAMPLES, SUMMARY, conform
from support.sweeps import new_run, small_plan
from support.units import MS


def cells_of(*profiles: str, rtt_ns: int = 35 * MS, **columns: Any) -> pl.DataFrame:
    return conform(
        pl.DataFrame({"cell_id": [f"{name}-{rtt_ns}" for name in profiles], "profile": profiles}).with_columns(
            rtt_ns=pl.lit(rtt_ns), **columns
        ),
        CELLS,
    )


def samples_of(
    cell_id: str, times_ms: Any, outcome: list[str] | str = "ok", handshakes_ms: list[int] | None = None
) -> pl.DataFrame:
    count = len(times_ms)
    outcomes = [outcome] * count if isinstance(outcome, str) else outcome
    columns = {
        "cell_id": [cell_id] * count,
        "block": list(range(count)),
        "outcome": outcomes,
        "last_byte_ns": [None if value is None else value * MS for value in times_ms],
        "tls_done_ns": [value * MS for value in handshakes_ms or [1] * count],
        "clock": ["real"] * count,
    }
    return conform(pl.DataFrame(columns), SAMPLES)


def row_of(summary: pl.DataFrame, profile: str) -> dict[str, Any]:
    return summary.row(by_predicate=pl.col("profile") == profile, named=True)


def test_known_answers() -> None:
    base, arm = list(range(101, 202)), list(range(202, 404, 2))
    samples = pl.concat([samples_of("a-35000000", base), samples_of("b-35000000", arm, handshakes_ms=[3] * 101)])
    summary = summarise(samples.lazy(), cells_of("a", "b").lazy(), "a")
    assert summary.schema == SUMMARY
    a, b = row_of(summary, "a"), row_of(summary, "b")
    assert (a["n"], a["n_ok"], a["n_failed"], a["n_timeout"]) == (101, 101, 0, 0)
    assert (a["p50_ns"], a["p75_ns"], a["p90_ns"]) == (151 * MS, 176 * MS, 191 * MS)
    assert a["p50_low_ns"] < 151 * MS < a["p50_high_ns"]
    assert (b["increase_p50_pct"], b["increase_p90_pct"]) == pytest.approx((100, 100))
    assert (b["increase_p50_low_pct"], b["increase_p50_high_pct"]) == pytest.approx((100, 100))
    assert (b["handshake_p50_ns"], b["handshake_increase_p50_pct"]) == (3 * MS, pytest.approx(200))
    assert (b["baseline"], b["pairs"]) == ("a", 101)
    assert [a[name] for name in ("baseline", "pairs", "increase_p50_pct")] == [None, None, None]


def test_ties_and_one_sample() -> None:
    samples = pl.concat([samples_of("a-35000000", [5] * 40), samples_of("b-35000000", [7])])
    summary = summarise(samples, cells_of("a", "b"), "a")
    a, b = row_of(summary, "a"), row_of(summary, "b")
    assert {a[f"p90{bound}_ns"] for bound in ("", "_low", "_high")} == {5 * MS}
    assert b["p90_ns"] == 7 * MS
    assert b["p50_low_ns"] is None
    assert (b["increase_p50_pct"], b["increase_p50_low_pct"], b["pairs"]) == (pytest.approx(40), None, 1)


def test_a_quantile_above_the_share_that_succeeded_is_null() -> None:
    times = [*range(1, 81), *[None] * 20]
    outcomes = ["ok"] * 80 + ["timeout"] * 15 + ["server_down"] * 5
    samples = pl.concat([samples_of("a-35000000", range(1, 101)), samples_of("b-35000000", times, outcomes)])
    summary = summarise(samples, cells_of("a", "b"), "a")
    b = row_of(summary, "b")
    assert (b["n"], b["n_ok"], b["n_failed"], b["n_timeout"], b["n_server_down"]) == (100, 80, 20, 15, 5)
    assert b["p50_ns"] == 50.5 * MS
    assert b["p75_ns"] == 75.25 * MS
    assert b["p75_high_ns"] is None
    assert (b["p90_ns"], b["p90_high_ns"], b["increase_p90_pct"]) == (None, None, None)
    assert b["handshake_p90_ns"] == 1 * MS


def test_handshakes_that_ended_count_where_the_transfer_did_not_and_others_do_not() -> None:
    outcomes = ["timeout"] * 10
    b = row_of(summarise(samples_of("b-35000000", [None] * 10, outcomes), cells_of("b"), "b"), "b")
    assert (b["p50_ns"], b["handshake_p50_ns"]) == (None, 1 * MS)
    wrong = row_of(summarise(samples_of("b-35000000", [1] * 10, "wrong_group"), cells_of("b"), "b"), "b")
    assert (wrong["p50_ns"], wrong["handshake_p50_ns"], wrong["n_wrong_group"]) == (None, None, 10)


def test_cells_that_are_all_censored() -> None:
    samples = pl.concat([samples_of(f"{name}-35000000", [None] * 50, "refused") for name in "ab"])
    summary = summarise(samples, cells_of("a", "b"), "a")
    assert summary["n_refused"].to_list() == [50, 50]
    b = row_of(summary, "b")
    numbers = [value for name, value in b.items() if name.endswith(("_ns", "_pct"))]
    assert not [
        value for name, value in b.items() if name.startswith("p") and name.endswith("_ns") and value is not None
    ]
    assert None in numbers
    assert b["increase_p50_low_pct"] is None


def test_cells_without_samples() -> None:
    summary = summarise(SAMPLES.to_frame(), cells_of("a", "b"), "a")
    assert summary["n"].to_list() == [0, 0]
    assert summary["p50_ns"].null_count() == 2
    assert summary["pairs"].to_list() == [None, 0]


def test_each_arm_is_compared_under_its_own_conditions() -> None:
    cells = pl.concat([cells_of("a", "b"), cells_of("a", "b", rtt_ns=200 * MS), cells_of("b", rtt_ns=1)])
    times = {"a-35000000": 10, "b-35000000": 11, "a-200000000": 100, "b-200000000": 150, "b-1": 1}
    samples = pl.concat([samples_of(cell, [value] * 40) for cell, value in times.items()])
    summary = summarise(samples, cells, "a")
    assert summary["cell_id"].to_list() == cells["cell_id"].to_list()
    increases = dict(summary.select("cell_id", "increase_p50_pct").rows())
    assert increases["b-35000000"] == pytest.approx(10)
    assert increases["b-200000000"] == pytest.approx(50)
    assert increases["b-1"] is None


def test_what_cannot_be_pooled_is_refused() -> None:
    cells, samples = cells_of("a"), samples_of("a-35000000", [1, 2])
    with pytest.raises(SpecError, match="no cell has the profile 'x'") as raised:
        summarise(samples, cells, "x")
    assert "a" in raised.value.hint
    virtual = samples.with_columns(clock=pl.lit("virtual"), block=pl.col("block") + 2)
    with pytest.raises(StoreError, match="virtual"):
        summarise(pl.concat([samples, virtual]), cells, "a")
    with pytest.raises(StoreError, match="two samples"):
        summarise(pl.concat([samples, samples]), cells, "a")
    with pytest.raises(StoreError, match="lacks"):
        summarise(samples.with_columns(cell_id=pl.lit("z")), cells, "a")


def test_the_same_samples_give_the_same_summary_in_any_order() -> None:
    draw = np.random.default_rng(1)
    samples = pl.concat(
        samples_of(
            f"{name}-35000000", draw.integers(50, 90, 60).tolist(), handshakes_ms=draw.integers(5, 9, 60).tolist()
        )
        for name in "ab"
    )
    first = summarise(samples, cells_of("a", "b"), "a")
    assert first.equals(summarise(samples.sample(fraction=1, shuffle=True, seed=2), cells_of("a", "b"), "a"))


def test_a_run_is_summarised_and_keeps_its_summary(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        run_sweep(small_plan(samples=40), FakeBed(), run, lanes=2)
        summary = summarise(run.samples(), run.cells(), "classic")
        run.write_summary(summary)
        assert run.summary().collect().equals(summary)
    slower = summary.filter(profile="pq")
    assert slower["handshake_increase_p50_low_pct"].min() > 0


def test_a_hundred_thousand_samples_take_seconds() -> None:
    count, blocks = 100, 1000
    draw = np.random.default_rng(1)
    names = [f"{number % 4}-{number // 4}" for number in range(count)]
    cells = pl.concat([cells_of(*"0123", rtt_ns=rtt_ns) for rtt_ns in range(count // 4)])
    samples = pl.DataFrame(
        {
            "cell_id": np.repeat(names, blocks),
            "block": np.tile(np.arange(blocks), count),
            "last_byte_ns": draw.integers(MS, 9 * MS, count * blocks),
            "tls_done_ns": draw.integers(MS, 9 * MS, count * blocks),
        }
    ).with_columns(outcome=pl.lit("ok"), clock=pl.lit("real"))
    started = time.process_time()
    summary = summarise(conform(samples, SAMPLES), cells, "0")
    assert summary["n"].sum() == 100_000
    assert time.process_time() - started < 15
