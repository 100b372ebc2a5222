"""How long ten million samples take to be summarised: with many cells, and with long ones."""

import time

import numpy as np
import polars as pl
import pytest

from pqbed.stats import summarise
from pqbed.store.schema import CELLS, conform

SAMPLES = 10_000_000
# Ten seconds on two cores. CPU time, so that what else runs on the host does not count.
MOST_CPU_S = 20
MS = 1_000_000


def cells_of(count: int) -> pl.DataFrame:
    rows = pl.DataFrame({"cell": range(count)}).select(
        cell_id=pl.format("{}", "cell").str.zfill(12),
        profile=pl.when(pl.col("cell") % 2 == 0).then(pl.lit("classical")).otherwise(pl.lit("pq")),
        rtt_ns=pl.col("cell") // 2,
    )
    return conform(rows, CELLS)


def write_samples(path, cells: pl.DataFrame, blocks: int) -> None:
    """Write heavy-tailed times whose arms share the noise of their block; one in a hundred timed out."""
    draw = np.random.default_rng(1)
    count = cells.height
    shared = draw.lognormal(0, 0.5, size=(blocks, count // 2)).repeat(2, axis=1)
    handshake = 100 * MS * shared * draw.lognormal(0, 0.3, size=(blocks, count))
    last = handshake + 100 * MS * draw.lognormal(0, 1, size=(blocks, count))
    done = draw.random((blocks, count)) > 0.01
    pl.DataFrame(
        {
            "cell_id": cells["cell_id"].gather(np.tile(np.arange(count), blocks)),
            "block": np.repeat(np.arange(blocks), count),
            "outcome": pl.Series(np.where(done, 0, 1).ravel()).replace_strict({0: "ok", 1: "timeout"}),
            "tls_done_ns": handshake.ravel().astype(np.int64),
            "last_byte_ns": last.ravel().astype(np.int64),
        }
    ).with_columns(clock=pl.lit("virtual")).write_parquet(path)


@pytest.mark.parametrize("count", [10_000, 1_000])
def test_ten_million_samples_are_summarised_in_ten_seconds_on_two_cores(tmp_path, count):
    cells = cells_of(count)
    path = tmp_path / "samples.parquet"
    write_samples(path, cells, SAMPLES // count)
    wall, cpu = time.perf_counter(), time.process_time()
    summary = summarise(pl.scan_parquet(path), cells, "classical")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"\n{count} cells x {SAMPLES // count} samples: {wall:.1f} s, {cpu:.1f} s of CPU")  # noqa: T201
    assert summary["n"].sum() == SAMPLES
    assert summary["increase_p90_low_pct"].null_count() == count // 2
    assert cpu < MOST_CPU_S
