"""The whole tool on the uml bed in virtual time: sweep, show, killed and resumed, a guest that dies."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pqbed.artefacts import prepare_uml
from pqbed.plan import plan_sweep
from pqbed.spec.sweep_toml import read_spec, sweep_from
from pqbed.store.run_directory import open_run

pytestmark = pytest.mark.uml

PQBED = (sys.executable, "-m", "pqbed_cli")
GRID = ("--bed", "uml", "--rtt", "35,200", "--loss", "0,10", "--bandwidth", "1mbit", "--size", "0,50")
WITHOUT_COPY = (*GRID, "--no-aa")
PATIENCE_S = 120


@pytest.fixture(scope="module", autouse=True)
def kernel() -> Path:
    return prepare_uml().kernel


@pytest.fixture(autouse=True)
def no_guest_stays_behind(kernel: Path) -> Iterator[None]:
    before = set(guests(kernel))
    yield
    deadline = time.monotonic() + PATIENCE_S
    while set(guests(kernel)) - before:
        assert time.monotonic() < deadline, "a guest is left"
        time.sleep(0.1)


def guests(kernel: Path, parent: int | None = None) -> list[int]:
    """The processes that run this kernel, whoever started them, or those that `parent` started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            starter = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            # By the file: a confined guest has another name for it.
            if (folder / "exe").samefile(kernel) and parent in (None, starter):
                found.append(int(folder.name))
    return found


def start(out: Path, *options: str) -> subprocess.Popen[str]:
    command = [*PQBED, "sweep", *options, "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_of(out: Path) -> Path:
    (path,) = out.iterdir()
    return path


def wait_for_samples(out: Path, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while sum(path.read_bytes().count(b"\n") for path in out.glob("*/journal/*.ndjson")) < count:
        assert time.monotonic() < deadline, "no samples come"
        time.sleep(0.02)


def assert_complete(path: Path, samples: int) -> pl.DataFrame:
    """Exactly the planned samples, none twice."""
    sweep, _ = sweep_from(read_spec(path / "sweep.toml"))
    planned = {(fetch.cell_id, fetch.repetition) for block in plan_sweep(sweep).blocks() for fetch in block}
    with open_run(path) as run:
        rows = run.samples().collect()
    taken = list(rows.select("cell_id", "repetition").iter_rows())
    assert len(taken) == len(planned) == samples
    assert set(taken) == planned
    return rows


def assert_copies_equal(rows: pl.DataFrame, cells: pl.DataFrame) -> None:
    """The A/A arm met the same link with the same seeds: in virtual time its samples are the baseline's."""
    where = ["rtt_ns", "loss_ppm", "size_bytes"]
    timed = rows.join(cells.select("cell_id", "profile", *where), on="cell_id")
    arms = [timed.filter(profile=name) for name in ("classical", "classical-again")]
    pairs = arms[0].join(arms[1], on=[*where, "repetition"])
    assert pairs.height == 2 * 2 * 2 * 3
    apart = (pl.col("last_byte_ns") - pl.col("last_byte_ns_right")).abs() > 10_000
    assert pairs.filter(apart).height <= 1


def assert_cpu_term(path: Path, shown: str) -> None:
    """Virtual time has no CPU cost, so it is measured natively and shown apart, for each profile once."""
    with open_run(path) as run:
        costs = {one.profile: one for one in run.manifest.handshake_cpu}
    assert set(costs) == {"classical", "pq"}
    assert all(10_000 < ns < 1_000_000_000 for one in costs.values() for ns in (one.client_ns, one.server_ns))
    assert "CPU of a full handshake in ms, not in the TTLB above" in shown


def test_a_sweep_and_its_table(tmp_path: Path) -> None:
    sweep = start(tmp_path, *GRID, "--samples", "3", "--json")
    output, errors = sweep.communicate(timeout=PATIENCE_S)
    assert sweep.returncode == 0, errors
    assert json.loads(output)
    rows = assert_complete(run_of(tmp_path), 2 * 2 * 3 * 2 * 3)
    assert set(rows["outcome"]) == {"ok"}
    assert set(rows["clock"]) == {"virtual"}
    assert rows.filter(pl.col("first_byte_ns") > pl.col("last_byte_ns")).is_empty()
    assert set(rows.group_by("cell_id").len()["len"]) == {3}
    again = subprocess.run([*PQBED, "show", str(run_of(tmp_path))], capture_output=True, text=True, check=True)
    assert "rtt 200ms, loss 10%" in again.stdout
    assert_cpu_term(run_of(tmp_path), again.stdout)
    assert_copies_equal(rows, pl.read_parquet(run_of(tmp_path) / "cells.parquet"))


def test_killed_and_resumed(tmp_path: Path) -> None:
    sweep = start(tmp_path, *WITHOUT_COPY, "--samples", "20")
    wait_for_samples(tmp_path, 30)
    sweep.kill()
    sweep.communicate()
    resumed = subprocess.run(
        [*PQBED, "sweep", "--resume", str(run_of(tmp_path))], capture_output=True, text=True, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    assert_complete(run_of(tmp_path), 2 * 2 * 2 * 2 * 20)


def test_interrupted_and_resumed(tmp_path: Path) -> None:
    sweep = start(tmp_path, *WITHOUT_COPY, "--samples", "20")
    wait_for_samples(tmp_path, 10)
    sweep.send_signal(signal.SIGINT)
    _, errors = sweep.communicate(timeout=PATIENCE_S)
    assert sweep.returncode == 130, errors
    assert "--resume" in errors
    subprocess.run([*PQBED, "sweep", "--resume", str(run_of(tmp_path))], capture_output=True, check=True)
    assert_complete(run_of(tmp_path), 2 * 2 * 2 * 2 * 20)


def test_a_guest_that_dies_costs_no_sample(tmp_path: Path, kernel: Path) -> None:
    sweep = start(tmp_path, *WITHOUT_COPY, "--samples", "20", "--lanes", "1")
    wait_for_samples(tmp_path, 10)
    for guest in guests(kernel, parent=sweep.pid):
        os.kill(guest, signal.SIGKILL)
    _, errors = sweep.communicate(timeout=PATIENCE_S)
    assert sweep.returncode == 0, errors
    rows = assert_complete(run_of(tmp_path), 2 * 2 * 2 * 2 * 20)
    assert set(rows["outcome"]) == {"ok"}
