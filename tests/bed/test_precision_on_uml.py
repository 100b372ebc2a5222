"""A sweep with a precision over real links in virtual time: a lossy cell goes on, a quiet one ends at once."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from pqbed.duration.checkpoints import FEWEST_BLOCKS
from pqbed.stats.comparison_precision import half_widths
from pqbed.store.run_directory import open_run

pytestmark = pytest.mark.uml

GRID = ("--rtt", "35", "--bandwidth", "1", "--size", "50")
SWEEP = (sys.executable, "-m", "pqbed_cli", "sweep", "--bed", "uml", "--no-aa", *GRID)
POINTS = 3
MOST = 200


def measure(out: Path, *options: str) -> Path:
    swept = subprocess.run([*SWEEP, *options, "--out", str(out)], capture_output=True, text=True, check=False)
    assert swept.returncode == 0, swept.stderr
    [path] = out.iterdir()
    return path


def test_a_lossy_cell_takes_what_an_oracle_would_and_a_quiet_one_the_fewest(tmp_path: Path) -> None:
    long = measure(tmp_path / "long", "--loss", "5", "--samples", str(MOST))
    precise = measure(
        tmp_path / "precise", "--loss", "0,5", "--precision", f"{POINTS}%", "--max-samples", str(MOST), "--lanes", "2"
    )
    with open_run(precise) as run:
        told = {row["loss_ppm"]: row for row in run.precision().collect().to_dicts()}
        taken = Counter(run.samples().collect()["cell_id"])
        cells = run.cells().collect()
    assert all(row["standing"] == "reached" for row in told.values())
    assert (told[0]["samples"], round(told[0]["half_width_pct"], 2)) == (FEWEST_BLOCKS, 0)
    assert told[50_000]["half_width_pct"] <= POINTS
    for row in cells.to_dicts():
        assert taken[row["cell_id"]] == told[row["loss_ppm"]]["samples"]

    lossy = cells.filter(pl.col("loss_ppm") == 50_000)["cell_id"].to_list()
    with open_run(long) as run:
        samples = run.samples().filter(pl.col("cell_id").is_in(lossy)).collect()
    widths = {
        n: half_widths(samples.lazy().filter(pl.col("block") < n), [lossy])[0] for n in range(FEWEST_BLOCKS, MOST + 1)
    }
    oracle = 1 + max(n for n, width in widths.items() if width > POINTS)
    assert oracle < MOST / 1.3
    assert FEWEST_BLOCKS < told[50_000]["samples"] <= 1.3 * oracle
