"""Time and memory of the commands that read a run of two million samples.

`make bench` prints a table, and fails if a command needs more memory or time than its limit on two cores. The run
is made of the fake bed's data: some blocks are measured by a sweep, and written again and again through the store.
"""

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from pqbed.beds.fake_bed import FakeBed
from pqbed.plan import plan_sweep
from pqbed.runner import run_sweep
from pqbed.spec.sweep_toml import sweep_from, sweep_to_toml
from pqbed.stats import MILESTONES
from pqbed.store.checksums import PartSums
from pqbed.store.manifest import start_manifest
from pqbed.store.run_directory import SAMPLES_FOLDER, create_run
from pqbed.store.table_schemas import SAMPLES, SAMPLES_ID

CELLS = 24
BLOCKS = 83_360
MEASURED_BLOCKS = 400
PARTS = 4
FAILED = 0.01
SWEEP = {
    "rtt": "10,35,100,200ms",
    "size": "0,50KiB",
    "bandwidth": "10mbit",
    "profile": "classical,pq",
    "loss": "0",
}
# Command -> most seconds on two idle cores, and megabytes. Held against them is the lesser of wall and CPU time, as
# other work on the host makes only the former longer.
LIMITS: dict[tuple[str, ...], tuple[float, int]] = {
    ("show", "RUN"): (2, 600),
    ("explain", "RUN"): (3, 600),
    ("compare", "RUN", "COPY"): (5, 600),
    ("report", "RUN"): (10, 600),
    ("export", "RUN", "--csv", "--to", "FILE"): (20, 400),
    ("export", "RUN", "--json", "--to", "FILE"): (40, 400),
    ("export", "RUN", "--parquet", "--to", "FILE"): (20, 400),
    ("export", "RUN", "--csv", "--table", "phases", "--to", "FILE"): (20, 400),
}


def make_run(out: Path) -> str:
    """Measure MEASURED_BLOCKS of the sweep on the fake bed, repeat them until there are BLOCKS; return the run."""
    sweep, options = sweep_from(SWEEP, bare=True, default_samples=BLOCKS)
    plan = plan_sweep(sweep)
    assert len(plan.cells) == CELLS
    manifest = start_manifest(
        command=["pqbed", "sweep"], bed="fake", clock="virtual", seed=sweep.seed, artefacts={"fake": "sha256:0"}
    )
    with create_run(out, "large", manifest, {"sweep.toml": sweep_to_toml(sweep, options)}) as run:
        run_sweep(replace(plan, samples=MEASURED_BLOCKS), FakeBed(), run, lanes=2)
        measured = run.samples().collect()
        for path in (run.path / SAMPLES_FOLDER).iterdir():
            path.unlink()
        for part in range(PARTS):
            write_part(run.path, part, measured)
        return str(run.path)


def write_part(run: Path, part: int, measured: pl.DataFrame) -> None:
    """Write a quarter of the blocks as the store does, each copy with its own numbers, times and failures."""
    draw = np.random.default_rng(part)
    starts = range(part * BLOCKS // PARTS, (part + 1) * BLOCKS // PARTS, MEASURED_BLOCKS)
    end = (part + 1) * BLOCKS // PARTS
    copies = [vary(measured, start, draw) for start in starts]
    rows = pl.concat(copies).filter(pl.col("block") < end).select(SAMPLES.names())
    buffer = io.BytesIO()
    rows.write_parquet(buffer, metadata={"schema": SAMPLES_ID})
    name = f"part-lane-{part:03d}-0001.parquet"
    PartSums(run).add(name, buffer.getvalue())
    (run / SAMPLES_FOLDER / name).write_bytes(buffer.getvalue())


def vary(measured: pl.DataFrame, start: int, draw: np.random.Generator) -> pl.DataFrame:
    """Return a copy whose blocks begin at `start`.

    No time is repeated, so that files do not compress better than real ones; one in a hundred fetches timed out.
    """
    later_ns = pl.Series(draw.exponential(2e6, measured.height)).cast(pl.Int64)
    failed = pl.Series(draw.random(measured.height) < FAILED)
    return measured.with_columns(
        *(pl.col(name) + start for name in ("block", "repetition", "seed")),
        *(pl.col(name) + later_ns for name in MILESTONES.values()),
    ).with_columns(
        outcome=pl.when(failed).then(pl.lit("timeout")).otherwise("outcome"),
        last_byte_ns=pl.when(~failed).then("last_byte_ns"),
    )


class Cost(NamedTuple):
    """What a command took, and its exit code."""

    wall_s: float
    cpu_s: float
    memory_mb: float
    code: int


def measure(arguments: Sequence[str]) -> Cost:
    """Run `pqbed` with `arguments`, with bytecode cached as in any installation."""
    command = [sys.executable, "-m", "pqbed_cli", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.monotonic()
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123
        process = subprocess.Popen(command, stdout=nothing, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, process.returncode)


def main() -> None:
    chosen = sys.argv[1:]
    over = []
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: what a process has used counts as used by those that it starts (getrusage(2)).
        with ProcessPoolExecutor(1, get_context("spawn")) as other:
            runs = list(other.map(make_run, [Path(folder) / name for name in ("a", "b")]))
        names = {"RUN": runs[0], "COPY": runs[1], "FILE": str(Path(folder) / "file")}
        measure(["show", runs[0]])
        for words, (most_s, most_mb) in LIMITS.items():
            if chosen and words[0] not in chosen:
                continue
            cost = measure([names.get(word, word) for word in words])
            print(
                f"{' '.join(words):50} {cost.wall_s:5.1f} s, {cost.cpu_s:5.1f} s of CPU, {cost.memory_mb:5.0f} MB",
                flush=True,
            )
            if min(cost.wall_s, cost.cpu_s) > most_s or cost.memory_mb > most_mb or cost.code != 0:
                over.append(f"{' '.join(words)}: exit code {cost.code}, limits {most_s} s and {most_mb} MB")
    if over:
        raise SystemExit("\n".join(over))


if __name__ == "__main__":
    main()
