"""Two runs of one lossy sweep in virtual time, row by row (docs/design/dd-007)."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.store.run_directory import open_run

pytestmark = pytest.mark.uml

LINK = "--rtt 200 --loss 10 --bandwidth 1mbit --layout ends,router"
SWEEP = f"sweep --bed uml {LINK} --size 200 --profile classical,pq --samples 25 --seed 7 --no-aa"
NEAR_NS = 10_000


def run_once(out: Path) -> pl.DataFrame:
    subprocess.run(
        [sys.executable, "-m", "pqbed_cli", *SWEEP.split(), "--out", str(out)], capture_output=True, check=True
    )
    (path,) = out.iterdir()
    with open_run(path) as run:
        return run.samples().collect()


def test_the_same_seed_gives_the_same_samples(tmp_path: Path) -> None:
    one, other = run_once(tmp_path / "one"), run_once(tmp_path / "other")
    pairs = one.join(other, on=["cell_id", "repetition"], suffix="_again")
    assert pairs.height == one.height == other.height == 100
    apart = (pl.col("last_byte_ns") - pl.col("last_byte_ns_again")).abs() > NEAR_NS
    # A difference of a microsecond can still fall on the edge of a jiffy: one row in a hundred may differ.
    assert pairs.filter(apart).height <= 1
    assert one["last_byte_ns"].n_unique() > 50
