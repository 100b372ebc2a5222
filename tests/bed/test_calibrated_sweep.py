"""Calibration in a sweep over guests in virtual time: it leaves no trace in the samples, and a wrong link is told."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.store.run_directory import open_run

pytestmark = pytest.mark.uml

PQBED = (sys.executable, "-m", "pqbed_cli")
FALSE_PQBED = (sys.executable, str(Path(__file__).with_name("drive_false_lane.py")))
# Loss, bursts of it and jitter: whatever calibration left of its draws, ports or timers would show.
LOSSY = (
    "sweep --bed uml --lanes 1 --rtt 35,100 --loss 3,ge:2/30 --jitter 4 --distribution normal --bandwidth 2 --size 50 "
    "--profile classical,pq --samples 8 --seed 5"
)


def run_once(out: Path, program: tuple[str, ...], options: str, code: int = 0) -> Path:
    done = subprocess.run([*program, *options.split(), "--out", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    (path,) = out.iterdir()
    return path


def samples_of(path: Path) -> pl.DataFrame:
    with open_run(path) as run:
        return run.samples().sort("cell_id", "repetition").drop("host").collect()


def test_samples_are_the_same_without_and_with_calibration(tmp_path: Path) -> None:
    paths = {
        when: run_once(tmp_path / when, PQBED, f"{LOSSY} --calibrate {when}") for when in ("off", "once", "always")
    }
    without = samples_of(paths["off"])
    assert without.height == 2 * 2 * 3 * 8
    assert without["retransmits"].sum() > 0
    times = pl.col("tcp_connect_ns", "tls_done_ns", "first_byte_ns", "last_byte_ns")
    for when in ("once", "always"):
        with open_run(paths[when]) as run:
            found = run.calibration()
        assert found.height == 4
        assert not found["wrong"].any(), found["deviations"].to_list()
        apart = (without.select(times) - samples_of(paths[when]).select(times)).select(pl.all().abs().max())
        # What reading the clock costs (docs/design/dd-007): one or two microseconds.
        assert max(apart.row(0)) <= 3_000, apart
    with open_run(paths["off"]) as run:
        assert run.calibration().is_empty()


def test_a_wrong_link_is_named_and_ends_the_sweep_with_4(tmp_path: Path) -> None:
    grid = "sweep --bed uml --rtt 35,50 --bandwidth none --size 0 --profile classical --samples 2"
    path = run_once(tmp_path, FALSE_PQBED, grid, code=4)
    shown = subprocess.run([*PQBED, "show", str(path)], capture_output=True, text=True, check=True).stdout
    assert [line for line in shown.splitlines() if line.startswith("wrong link")] == [
        "wrong link: rtt 35ms: rtt: asked 35 ms, achieved 70 ms"
    ]
    explained = subprocess.run([*PQBED, "explain", str(path)], capture_output=True, text=True, check=True).stdout
    assert explained.count("  wrong link: rtt: asked 35 ms, achieved 70 ms") == 1
    compared = subprocess.run([*PQBED, "compare", str(path), str(path)], capture_output=True, text=True, check=True)
    assert f"wrong link in {path}: rtt 35ms: rtt: asked 35 ms, achieved 70 ms" in compared.stdout
    told = subprocess.run([*PQBED, "show", str(path), "--json"], capture_output=True, text=True, check=True).stdout
    wrong = {cell["rtt_ns"]: cell["link_wrong"] for cell in json.loads(told)["cells"]}
    assert wrong == {35_000_000: True, 50_000_000: False}
    with open_run(path) as run:
        cells = run.cells().collect()
    assert dict(cells.select("rtt_ns", "achieved_rtt_ns").rows()) == {
        35_000_000: pytest.approx(70_000_000, rel=0.001),
        50_000_000: pytest.approx(50_000_000, rel=0.001),
    }
    again = subprocess.run([*PQBED, "sweep", "--resume", str(path)], capture_output=True, text=True, check=False)
    assert again.returncode == 4, again.stderr
