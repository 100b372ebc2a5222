"""Counts and bytes among the quantities of a grid, and metrics named as people type them."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from pqbed.errors import SpecError
from pqbed.spec.metric import METRICS, metric_named
from pqbed.stats.classify_difference import DEFAULT_MARGIN
from pqbed.stats.comparison_precision import half_widths
from pqbed.stats.percentiles import tabulate_percentiles
from pqbed.stats.sample_grid import read_grid
from pqbed.store.table_schemas import CELLS, SAMPLES, SUMMARY, conform
from support.units import MS


def cells(**bytes_of: int | None) -> pl.DataFrame:
    rows = [
        {
            "cell_id": name,
            "profile": name,
            "client_hello_bytes": 300,
            "client_flight_bytes": 100,
            "server_flight_bytes": size,
        }
        for name, size in bytes_of.items()
    ]
    return conform(pl.DataFrame(rows), CELLS)


def samples(
    cell_id: str, retransmits: list[int | None], outcomes: list[str] | None = None, **more: Any
) -> pl.DataFrame:
    count = len(retransmits)
    columns = {
        "cell_id": [cell_id] * count,
        "block": list(range(count)),
        "outcome": outcomes or ["ok"] * count,
        "retransmits": retransmits,
        "last_byte_ns": [MS] * count,
        "clock": ["real"] * count,
        **more,
    }
    return conform(pl.DataFrame(columns), SAMPLES)


def test_a_failed_fetch_that_left_no_count_is_above_all_and_a_stack_without_one_has_none() -> None:
    table = samples("a", [0, 3, None, None, None, 2], ["ok", "ok", "timeout", "ok", "lost", "timeout"])
    values = read_grid(table.lazy(), cells(a=1), ["retransmits"]).values["retransmits"][0]
    assert values[:3].tolist() == [0, 3, math.inf]
    assert np.isnan(values[3:5]).all()
    assert values[5] == 2


def test_bytes_are_those_of_both_directions_exact_and_unknown_where_not_learned() -> None:
    table = pl.concat([samples(name, [0] * 3) for name in "abc"])
    learned = cells(a=1600, b=16_000, c=None)
    grid = read_grid(table.lazy(), learned, ["bytes"])
    rows = tabulate_percentiles(grid, learned, "a", [50], milestone="bytes", margin=DEFAULT_MARGIN).to_dicts()
    assert [row["value_ns"] for row in rows] == [2000, 16_400, None]
    increase = {row["cell_id"]: (row["increase_low_pct"], row["increase_high_pct"], row["finding"]) for row in rows}
    assert increase["b"] == (pytest.approx(720), pytest.approx(720), "differs")
    assert increase["c"][2] == "undecided"


def test_no_retransmits_in_both_arms_are_the_same_and_none_in_the_baseline_alone_is_no_factor() -> None:
    table = pl.concat([samples("a", [0] * 20), samples("b", [0] * 20), samples("c", [1] * 20)])
    every = cells(a=1, b=1, c=1)
    grid = read_grid(table.lazy(), every, ["retransmits"])
    rows = tabulate_percentiles(grid, every, "a", [50], milestone="retransmits", margin=DEFAULT_MARGIN).to_dicts()
    assert (rows[1]["increase_pct"], rows[1]["finding"]) == (0.0, "equivalent")
    assert (rows[2]["increase_pct"], rows[2]["finding"]) == (None, "undecided")


def test_half_widths_are_those_of_the_metric() -> None:
    noisy, still = [(10 + number % 7) * MS for number in range(30)], [10 * MS] * 30
    table = pl.concat(
        [
            samples(name, [0] * 30, last_byte_ns=noisy[shift:] + noisy[:shift], tls_done_ns=still)
            for name, shift in (("a", 0), ("b", 3))
        ]
    )
    [ttlb], [tls] = (half_widths(table.lazy(), [("a", "b")], quantity) for quantity in ("ttlb", "handshake"))
    assert ttlb > 5
    assert tls == 0


@pytest.mark.parametrize("name", ["ttlb", "tls"])
def test_a_summary_holds_the_columns_of_ttlb_and_of_the_handshake(name: str) -> None:
    metric = metric_named(name)
    columns = [metric.value("p90", "_low"), metric.increase("p50", "_high"), metric.noise("p75"), metric.finding("p50")]
    assert set(columns) <= set(SUMMARY)


def test_an_unknown_metric_is_refused_with_those_there_are() -> None:
    with pytest.raises(SpecError) as refused:
        metric_named("handshake")
    assert refused.value.hint.endswith(", ".join(METRICS))
