from typing import Any

import polars as pl
import pytest

from pqbed.stats.tcp_info_summary import TCP_INFO, tabulate_tcp_info
from pqbed.store.table_schemas import SAMPLES, conform


def samples(*rows: dict[str, Any]) -> pl.LazyFrame:
    return conform(pl.DataFrame(rows, schema_overrides=SAMPLES), SAMPLES).lazy()


def test_percentiles_are_over_the_fetches_of_a_cell_that_report_a_count() -> None:
    table = tabulate_tcp_info(
        samples(
            {"cell_id": "a", "outcome": "ok", "retransmits": 0, "lost": 0, "cwnd": 10},
            {"cell_id": "a", "outcome": "ok", "retransmits": 2, "lost": 1, "cwnd": 5},
            {"cell_id": "a", "outcome": "timeout", "retransmits": 4, "lost": 0, "cwnd": 1},
            {"cell_id": "a", "outcome": "refused"},
            {"cell_id": "b", "outcome": "ok", "retransmits": 1, "cwnd": 10, "queue_drops": 7},
        )
    )
    assert table.schema == TCP_INFO
    a, b = table.to_dicts()
    assert (a["retransmits_p50"], a["retransmits_p90"]) == (2, pytest.approx(3.6))
    assert (a["lost_p50"], a["cwnd_p50"]) == (0, 5)
    assert (a["queue_drops_p50"], a["queue_drops_p90"]) == (None, None)
    assert (b["queue_drops_p50"], b["queue_drops_p90"], b["lost_p50"]) == (7, 7, None)


def test_a_run_without_samples_has_no_rows() -> None:
    assert tabulate_tcp_info(SAMPLES.to_frame().lazy()).height == 0
