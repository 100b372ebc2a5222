"""Guests on kernels other than the default one, in virtual time: the same link, exactly, by another TCP.

Building a kernel takes minutes: the test runs on those that are there.
"""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.artefacts import built_kernels
from pqbed.spec.guest_kernels import DEFAULT_KERNEL, series_of

pytestmark = pytest.mark.uml

PQBED = (sys.executable, "-m", "pqbed_cli")
GRID = ("--rtt", "35", "--bandwidth", "1", "--loss", "0,3", "--size", "0,50", "--no-aa", "--samples", "4")


def other_series() -> str:
    built = {series_of(release) for _, release in built_kernels()} - {DEFAULT_KERNEL}
    if not built:
        pytest.skip("no kernel besides the default one is built: pqbed build --kernel 6.12")
    return min(built, key=lambda series: tuple(map(int, series.split("."))))


def test_a_sweep_on_another_kernel_meets_the_link_exactly_and_keeps_to_its_kernel(tmp_path: Path) -> None:
    series = other_series()
    command = [*PQBED, "sweep", *GRID, "--kernel", series, "--lanes", "2", "--out", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    (run,) = tmp_path.iterdir()
    manifest = json.loads((run / "manifest.json").read_text())
    assert series_of(manifest["kernel"]) == series
    assert ended.stdout.startswith(f"TTLB in ms on kernel {manifest['kernel']}")
    rows = pl.concat([pl.read_parquet(path) for path in sorted((run / "samples").glob("*.parquet"))])
    assert set(rows["kernel"]) == {manifest["kernel"]}
    assert set(rows["outcome"]) == {"ok"}
    links = pl.read_parquet(run / "calibration.parquet")
    assert not any(links["deviations"].to_list())
    sweep = run / "sweep.toml"
    sweep.write_text(sweep.read_text().replace(f'kernel = "{series}"', f'kernel = "{DEFAULT_KERNEL}"'))
    resumed = subprocess.run([*PQBED, "sweep", "--resume", str(run)], capture_output=True, text=True, check=False)
    assert resumed.returncode == 3
    assert f"kernel was {manifest['kernel']}" in resumed.stderr
