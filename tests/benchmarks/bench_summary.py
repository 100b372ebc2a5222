"""Time and memory that the summary of ten million samples takes: with many cells, and with long ones.

`make bench` prints them, and fails above the limits. The target is 3 s on two cores and 1,000 MB (dd-026).
"""

import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from pqbed.stats import summarise
from pqbed.store.table_schemas import CELLS, conform

SAMPLES = 10_000_000
# CPU time, so that what else runs on the host does not count.
MOST_CPU_S = 12
MOST_MB = 800
MS = 1_000_000

T = TypeVar("T")


def cells_of(count: int) -> pl.DataFrame:
    rows = pl.DataFrame({"cell": range(count)}).select(
        cell_id=pl.format("{}", "cell").str.zfill(12),
        profile=pl.when(pl.col("cell") % 2 == 0).then(pl.lit("classical")).otherwise(pl.lit("pq")),
        rtt_ns=pl.col("cell") // 2,
    )
    return conform(rows, CELLS)


def write_samples(path: Path, cells: pl.DataFrame, blocks: int) -> None:
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


def summarise_once(path: Path, count: int) -> tuple[float, float]:
    """Print what a summary over `count` cells takes, and return its CPU time and the memory of this process in MB."""
    cells = cells_of(count)
    wall, cpu = time.perf_counter(), time.process_time()
    summary = summarise(pl.scan_parquet(path), cells, "classical")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert summary["n"].sum() == SAMPLES
    assert summary["increase_p90_low_pct"].null_count() == count // 2
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"{count:6} cells x {SAMPLES // count:6} samples: {wall:5.1f} s, {cpu:5.1f} s of CPU, {memory_mb:5.0f} MB",
        flush=True,
    )
    return cpu, memory_mb


def in_another_process(work: Callable[..., T], *arguments: object) -> T:
    """Do `work` where nothing else has used memory."""
    with ProcessPoolExecutor(1, get_context("spawn")) as other:
        return other.submit(work, *arguments).result()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        costs = []
        for count in (10_000, 1_000):
            path = Path(folder) / f"{count}.parquet"
            in_another_process(write_samples, path, cells_of(count), SAMPLES // count)
            costs.append(in_another_process(summarise_once, path, count))
    if any(cpu_s > MOST_CPU_S or memory_mb > MOST_MB for cpu_s, memory_mb in costs):
        raise SystemExit(f"more than {MOST_CPU_S} s of CPU or {MOST_MB} MB")


if __name__ == "__main__":
    main()
