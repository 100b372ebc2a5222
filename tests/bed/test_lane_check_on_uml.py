"""Before several guests run on the real clock they are held against one alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from pqbed.runner.lane_interference import FETCHES
from pqbed.store.run_directory import open_run

pytestmark = pytest.mark.uml


def test_two_guests_on_the_real_clock(tmp_path: Path) -> None:
    grid = ("--rtt", "20", "--bandwidth", "none", "--size", "0", "--samples", "2", "--lanes", "2", "--no-aa")
    command = [sys.executable, "-m", "pqbed_cli", "sweep", "--bed", "uml", "--clock", "real", *grid]
    swept = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, check=False)
    assert swept.returncode == 0, swept.stderr
    [line] = [line for line in swept.stderr.splitlines() if line.startswith("lanes: ")]
    with open_run(next(tmp_path.iterdir())) as run:
        [check] = run.manifest.lane_checks
        lanes = set(run.samples().collect()["lane"])
    assert (check.asked, check.fetches) == (2, FETCHES)
    [trial] = check.trials  # what it says depends on what else runs on this host
    assert check.taken == (2 if trial.agrees else 1)
    assert ("do not slow" in line) == trial.agrees
    assert trial.p50_change_pct is not None
    assert len(lanes) <= check.taken
