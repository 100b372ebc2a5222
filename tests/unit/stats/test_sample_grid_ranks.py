"""Samples find their place in the grid whatever the numbers of their blocks are, and in one pass over the run."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqbed.spec.sample import NO_FAILURES
from pqbed.stats.sample_grid import read_grid
from pqbed.store.table_schemas import CELLS, OUTCOMES, conform

CELL_IDS = ("a" * 12, "b" * 12, "c" * 12)
TABLE = conform(pl.DataFrame({"cell_id": CELL_IDS}), CELLS)
SAMPLES = st.dictionaries(
    st.tuples(st.sampled_from(CELL_IDS), st.sampled_from([0, 1, 2, 7, 4_000, 2**31, 2**32 - 1])),
    st.sampled_from([*OUTCOMES, "of a newer pqbed"]),
    min_size=1,
)


@given(SAMPLES)
def test_every_sample_is_at_its_cell_and_block(samples: dict[tuple[str, int], str]) -> None:
    rows = [
        {"cell_id": cell, "block": block, "outcome": outcome, "last_byte_ns": number, "clock": "real"}
        for number, ((cell, block), outcome) in enumerate(samples.items())
    ]
    grid = read_grid(pl.LazyFrame(rows, schema_overrides={"block": pl.Int64}), TABLE, ["ttlb"])
    blocks = sorted({block for _, block in samples})
    expected = np.full((len(CELL_IDS), len(blocks)), np.nan)
    for number, ((cell, block), outcome) in enumerate(samples.items()):
        value = {"ok": number, "lost": np.nan}.get(outcome, np.inf)
        expected[CELL_IDS.index(cell), blocks.index(block)] = value
    np.testing.assert_array_equal(grid.values["ttlb"], expected)
    for cell, counts in zip(CELL_IDS, grid.counts.to_dicts(), strict=True):
        own = [outcome for (of, _), outcome in samples.items() if of == cell]
        assert counts == {
            "n": len(own),
            **{f"n_{outcome}": own.count(outcome) for outcome in OUTCOMES},
            "n_failed": sum(outcome not in NO_FAILURES for outcome in own),
        }


@pytest.mark.parametrize("blocks", [(0, 1), (0, 2**32 - 1)])
def test_two_samples_of_a_cell_in_one_block_are_refused(blocks: tuple[int, int]) -> None:
    rows = [
        {"cell_id": CELL_IDS[1], "block": block, "outcome": "ok", "last_byte_ns": 1, "clock": "real"}
        for block in blocks
    ]
    assert read_grid(pl.LazyFrame(rows), TABLE, ["ttlb"]).counts["n"].to_list() == [0, 2, 0]
    with pytest.raises(Exception, match="two samples in one block"):
        read_grid(pl.LazyFrame([*rows, rows[1]]), TABLE, ["ttlb"])
