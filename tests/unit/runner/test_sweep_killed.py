"""A sweep killed at any moment, and resumed, holds exactly the planned samples."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from pqbed.beds.fake import FakeBed
from pqbed.runner import run_sweep
from pqbed.stats.precision import half_widths
from pqbed.store.run import open_run
from support.sweeps import files, held, new_run, planned, precise_plan, small_plan

DRIVER = Path(__file__).parents[2] / "support" / "drive_sweep.py"
# Enough for both lanes to get some of the blocks.
SLEEP_S = 0.001
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def start(out, kill_at=0, sleep_s=0.0, *more):
    command = [sys.executable, str(DRIVER), str(out), str(kill_at), str(sleep_s), *more]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)


def run_to_its_end(*arguments):
    process = start(*arguments)
    process.communicate(timeout=60)
    return process.returncode


def finish_and_check(out):
    plan = small_plan()
    [path] = out.glob("2*")
    with open_run(path) as run:
        outcome = run_sweep(plan, FakeBed(), run, lanes=2)
    assert outcome.state == "finished"
    assert held(run) == planned(plan)
    assert not run.samples().filter(pl.col("outcome") != "ok").collect().height
    assert not [name for name in files(path) if name.startswith("journal/") or "/.part-" in name]


@pytest.fixture(scope="module")
def call_count(tmp_path_factory):
    process = start(tmp_path_factory.mktemp("whole"), sleep_s=SLEEP_S)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return int(output)


# From the making of the directory (0) to the last write of the manifest (1); sealing is the end, so look closer there.
@pytest.mark.parametrize("share", [0.0, 0.04, 0.08, 0.12, 0.2, 0.5, *(0.72 + i * 0.02 for i in range(15))])
def test_killed_at_a_system_call(tmp_path, call_count, share):
    kill_at = 1 + round((call_count - 1) * share)
    ended = run_to_its_end(tmp_path, kill_at, SLEEP_S)
    assert ended == -signal.SIGKILL or share > 0.9, "calls differ by a few with who takes which block"
    if not list(tmp_path.glob("2*")):
        assert share < 0.2, "the directory is made before anything is measured"
        return
    finish_and_check(tmp_path)


def test_killed_again_and_again(tmp_path):
    draw = random.Random(5)
    kills = 0
    while run_to_its_end(tmp_path, draw.randint(8, 20)) != 0:
        kills += 1
    assert kills > 2
    finish_and_check(tmp_path)


def test_killed_from_outside_at_random_moments(tmp_path):
    draw = random.Random(7)
    for _ in range(4):
        process = start(tmp_path, sleep_s=0.02)
        while not list(tmp_path.glob("2*/journal/*")) and process.poll() is None:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.2))
        process.kill()
        process.communicate(timeout=60)
    finish_and_check(tmp_path)


def test_a_sweep_with_a_precision_takes_the_same_samples_however_often_it_is_killed(tmp_path):
    precision_ppm = 30_000
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    with new_run(whole) as run:
        run_sweep(precise_plan(precision_ppm), FakeBed(), run, lanes=1, half_widths=half_widths)
        expected = held(run)
    draw = random.Random(11)
    kills = 0
    while run_to_its_end(killed, draw.randint(20, 120), 0.0, str(precision_ppm)) != 0:
        kills += 1
    assert kills > 3
    [path] = killed.glob("2*")
    with open_run(path) as run:
        assert held(run) == expected
