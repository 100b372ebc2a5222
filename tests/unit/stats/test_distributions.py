import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqbed.errors import SpecError
from pqbed.stats import tabulate_ecdf, tabulate_percentiles, tabulate_phases
from pqbed.stats.percentiles import PERCENTILES, parse_percentiles
from pqbed.stats.sample_grid import MILESTONES, Grid, milestones_of
from pqbed.store.table_schemas import CELLS, conform

INF, NAN = math.inf, math.nan


def cells_of(*profiles: Any) -> Any:
    rows = pl.DataFrame({"cell_id": [f"c{number}" for number in range(len(profiles))], "profile": profiles})
    return conform(rows, CELLS)


def grid_of(*rows: Any, **others: Any) -> Any:
    values = np.array(rows, dtype=float)
    present = ~np.isnan(values)
    n, ok = present.sum(axis=1), (present & np.isfinite(values)).sum(axis=1)
    counts = pl.DataFrame({"n": n, "n_ok": ok, "n_failed": n - ok})
    return Grid(values={name: others.get(name, values) for name in MILESTONES}, counts=counts)


def test_any_percentile_of_a_cell_and_its_increase() -> None:
    base = np.arange(1.0, 1001)
    table = tabulate_percentiles(grid_of(base, 2 * base), cells_of("a", "b"), "a", (50, 99.5))
    assert table.schema == PERCENTILES
    assert table["percentile"].to_list() == ["p50", "p99.5", "p50", "p99.5"]
    np.testing.assert_allclose(table["value_ns"][:2], np.quantile(base, [0.5, 0.995]))
    assert table["increase_pct"].to_list()[2:] == pytest.approx([100, 100])
    assert table["increase_low_pct"][2] == pytest.approx(100)
    assert table["baseline"].to_list() == [None, None, "a", "a"]
    assert table["pairs"].to_list() == [None, None, 1000, 1000]


def test_a_censored_percentile_says_so_and_an_empty_cell_does_not() -> None:
    table = tabulate_percentiles(grid_of([1, 2, INF, INF], [NAN] * 4), cells_of("a", "b"), "a", (25, 90))
    assert table["censored"].to_list() == [False, True, False, False]
    assert table["value_ns"].to_list() == [1.75, None, None, None]


@pytest.mark.parametrize("text", ["0", "100", "p", "a", "50,,90", "-1", "nan"])
def test_what_is_no_percentile_is_refused(text: Any) -> None:
    with pytest.raises(SpecError, match="percentile"):
        parse_percentiles(text)


def test_percentiles_are_read_as_typed() -> None:
    assert parse_percentiles("p50, 99.9,50") == (50.0, 99.9)


def test_a_distribution_begins_at_none_and_ends_at_the_share_that_succeeded() -> None:
    table = tabulate_ecdf(grid_of([3, 1, 2, INF], [INF] * 4), cells_of("a", "b"))
    assert table.rows() == [("c0", 1.0, 0.0), ("c0", 1.0, 0.25), ("c0", 2.0, 0.5), ("c0", 3.0, 0.75)]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=80), st.integers(1, 30))
def test_every_point_of_a_distribution_is_true(values: Any, points: Any) -> None:
    table = tabulate_ecdf(grid_of(values), cells_of("a"), points)
    assert table.height <= points + 1
    for _cell, value, share in table.rows()[1:]:
        assert share == pytest.approx(sum(one <= value for one in values) / len(values))


def test_a_hello_retry_request_is_a_phase_where_a_cell_has_one() -> None:
    ends = {"connect": [[1]], "hello_retry": [[2]], "handshake": [[3]], "first_byte": [[5]], "ttlb": [[6]]}
    cells = cells_of("a").with_columns(hello_retry_expected=pl.lit(True))
    assert milestones_of(cells) == list(ends)
    assert milestones_of(cells_of("a")) == list(MILESTONES)
    grid = Grid(values={name: np.array(rows, dtype=float) for name, rows in ends.items()}, counts=pl.DataFrame())
    table = tabulate_phases(grid, cells, (50,))
    assert dict(table.select("phase", "duration_ns").rows()) == {
        "connect": 1,
        "HelloRetryRequest": 1,
        "TLS": 1,
        "first byte": 2,
        "transfer": 1,
    }


def test_phases_end_at_the_percentile_of_the_ttlb_and_stop_where_censored() -> None:
    ends = {"connect": [[1, 1, 1]], "handshake": [[2, 3, 4]], "first_byte": [[5, 5, 5]], "ttlb": [[6, 8, INF]]}
    grid = grid_of([6, 8, INF], **{name: np.array(rows, dtype=float) for name, rows in ends.items()})
    table = tabulate_phases(grid, cells_of("a"), (50, 90))
    median = table.filter(percentile="p50")
    assert median["phase"].to_list() == ["connect", "TLS", "first byte", "transfer"]
    assert median["duration_ns"].to_list() == [1, 2, 2, 3]
    assert median["duration_ns"].sum() == 8
    assert table.filter(percentile="p90")["duration_ns"].to_list()[-1] is None
