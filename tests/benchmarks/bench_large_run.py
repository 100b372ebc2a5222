"""CPU time and memory of the commands that read a run of two million samples.

`make bench` prints a table, and fails if a command needs more memory or CPU time than its limit on two cores. The run
is made of the fake bed's data: some blocks are measured by a sweep, and written again and again through the store.
"""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from pqbed.beds.fake_bed import FakeBed
from pqbed.plan import plan_sweep
from pqbed.runner import run_sweep
from pqbed.spec.sweep_toml import sweep_from, sweep_to_toml
from pqbed.store.checksums import add_sum
from pqbed.store.manifest import start_manifest
from pqbed.store.run_directory import SAMPLES_FOLDER, Run, create_run
from pqbed.store.table_schemas import SAMPLES, SAMPLES_ID

CELLS = 24
BLOCKS = 83_360
MEASURED_BLOCKS = 400
PARTS = 4
SWEEP = {
    "rtt": "10,35,100,200ms",
    "size": "0,50KiB",
    "bandwidth": "10mbit",
    "profile": "classical,pq",
    "loss": "0",
}
# Command -> most seconds of CPU time (of two cores) and megabytes. Those of `explain` and `export` are what they take
# today: both read whole tables, and should need 600 and 400 MB.
LIMITS: dict[tuple[str, ...], tuple[float, int]] = {
    ("show", "RUN"): (6, 600),
    ("explain", "RUN"): (9, 2600),
    ("compare", "RUN", "COPY"): (10, 600),
    ("report", "RUN"): (20, 750),
    ("export", "RUN", "--csv", "--to", "FILE"): (20, 1900),
    ("export", "RUN", "--json", "--to", "FILE"): (40, 3000),
    ("export", "RUN", "--parquet", "--to", "FILE"): (20, 1300),
    ("export", "RUN", "--csv", "--table", "phases", "--to", "FILE"): (20, 1500),
}


def make_run(out: Path) -> Run:
    """Measure MEASURED_BLOCKS of the sweep on the fake bed, and repeat them until there are BLOCKS."""
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
    return run


def write_part(run: Path, part: int, measured: pl.DataFrame) -> None:
    """Write a quarter of the blocks as the store does, each copy with its own numbers and a few nanoseconds more."""
    starts = range(part * BLOCKS // PARTS, (part + 1) * BLOCKS // PARTS, MEASURED_BLOCKS)
    end = (part + 1) * BLOCKS // PARTS
    copies = [
        measured.with_columns(
            pl.col("block") + start,
            pl.col("repetition") + start,
            pl.col("seed") + start,
            pl.col("last_byte_ns") + start % 997,
        )
        for start in starts
    ]
    rows = pl.concat(copies).filter(pl.col("block") < end).select(SAMPLES.names())
    buffer = io.BytesIO()
    rows.write_parquet(buffer, metadata={"schema": SAMPLES_ID})
    name = f"part-lane-{part:03d}-0001.parquet"
    add_sum(run, name, buffer.getvalue())
    (run / SAMPLES_FOLDER / name).write_bytes(buffer.getvalue())


def measure(arguments: Sequence[str]) -> tuple[float, float, int]:
    """Run `pqbed` with `arguments`; return its CPU seconds, its most memory in MB, and its exit code."""
    command = [sys.executable, "-m", "pqbed_cli", *arguments]
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123
        process = subprocess.Popen(command, stdout=nothing)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, process.returncode


def main() -> None:
    chosen = sys.argv[1:]
    over = []
    with tempfile.TemporaryDirectory() as folder:
        runs = [str(make_run(Path(folder) / name).path) for name in ("a", "b")]
        names = {"RUN": runs[0], "COPY": runs[1], "FILE": str(Path(folder) / "file")}
        for words, (most_s, most_mb) in LIMITS.items():
            if chosen and words[0] not in chosen:
                continue
            cpu_s, memory_mb, code = measure([names.get(word, word) for word in words])
            print(f"{' '.join(words):50} {cpu_s:6.1f} s of CPU {memory_mb:7.0f} MB", flush=True)
            if cpu_s > most_s or memory_mb > most_mb or code != 0:
                over.append(f"{' '.join(words)}: exit code {code}, limits {most_s} s and {most_mb} MB")
    if over:
        raise SystemExit("\n".join(over))


if __name__ == "__main__":
    main()
