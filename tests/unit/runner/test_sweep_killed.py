"""A sweep killed at any moment, and resumed, holds exactly the planned samples."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.beds.fake_bed import FakeBed
from pqbed.runner import run_sweep
from pqbed.stats.comparison_precision import half_widths
from pqbed.store.run_directory import open_run
from support.sweeps import files, held, new_run, planned, precise_plan, small_plan

DRIVER = Path(__file__).parents[2] / "support" / "drive_sweep.py"
# Enough for both lanes to get some of the blocks.
SLEEP_S = 0.001


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(DRIVER), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


Drive = Callable[..., tuple[int, int]]


@pytest.fixture(scope="module")
def drive() -> Iterator[Drive]:
    """Run a sweep to its end or its kill; return its exit code and the number of its system calls."""
    with start() as driver:
        assert driver.stdin is not None
        assert driver.stdout is not None
        stdin, stdout = driver.stdin, driver.stdout

        def run_to_its_end(out: Path, kill_at: int = 0, sleep_s: float = 0.0, *more: object) -> tuple[int, int]:
            print(out, kill_at, sleep_s, *more, sep="\t", file=stdin, flush=True)
            code, count = map(int, stdout.readline().split())
            return code, count

        yield run_to_its_end
        stdin.close()
        driver.wait(60)


def finish_and_check(out: Any) -> None:
    plan = small_plan()
    [path] = out.glob("2*")
    with open_run(path) as run:
        outcome = run_sweep(plan, FakeBed(), run, lanes=2)
    assert outcome.state == "finished"
    assert held(run) == planned(plan)
    assert not run.samples().filter(pl.col("outcome") != "ok").collect().height
    assert not [name for name in files(path) if name.startswith("journal/") or "/.part-" in name]


@pytest.fixture(scope="module")
def call_count(drive: Drive, tmp_path_factory: pytest.TempPathFactory) -> int:
    code, count = drive(tmp_path_factory.mktemp("whole"), sleep_s=SLEEP_S)
    assert code == 0
    return count


# From the making of the directory (0) to the last write of the manifest (1); sealing is the end, so look closer there.
@pytest.mark.parametrize("share", [0.0, 0.04, 0.08, 0.12, 0.2, 0.5, *(0.72 + i * 0.02 for i in range(15))])
def test_killed_at_a_system_call(tmp_path: Path, drive: Any, call_count: Any, share: Any) -> None:
    kill_at = 1 + round((call_count - 1) * share)
    ended, _ = drive(tmp_path, kill_at, SLEEP_S)
    assert ended == -signal.SIGKILL or share > 0.9, "calls differ by a few with who takes which block"
    if not list(tmp_path.glob("2*")):
        assert share < 0.2, "the directory is made before anything is measured"
        return
    finish_and_check(tmp_path)


def test_killed_again_and_again(tmp_path: Path, drive: Any) -> None:
    draw = random.Random(5)
    kills = 0
    while (ended := drive(tmp_path, draw.randint(8, 20))[0]) != 0:
        assert ended == -signal.SIGKILL
        kills += 1
    assert kills > 2
    finish_and_check(tmp_path)


def test_killed_from_outside_at_random_moments(tmp_path: Path) -> None:
    draw = random.Random(7)
    for _ in range(4):
        process = start(tmp_path, 0, 0.02)
        while not list(tmp_path.glob("2*/journal/*")) and process.poll() is None:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.2))
        process.kill()
        process.communicate(timeout=60)
    finish_and_check(tmp_path)


def test_a_sweep_with_a_precision_takes_the_same_samples_however_often_it_is_killed(tmp_path: Path, drive: Any) -> None:
    precision_ppm = 30_000
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    with new_run(whole) as run:
        run_sweep(precise_plan(precision_ppm), FakeBed(), run, lanes=1, half_widths=half_widths)
        expected = held(run)
    draw = random.Random(11)
    kills = 0
    while (ended := drive(killed, draw.randint(10, 50), 0.0, precision_ppm)[0]) != 0:
        assert ended == -signal.SIGKILL
        kills += 1
    assert kills > 3, kills
    [path] = killed.glob("2*")
    with open_run(path) as run:
        assert held(run) == expected
