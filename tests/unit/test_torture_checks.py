"""The checks of a torture round see what is wrong: a missing, a doubled, a foreign sample, and what was left behind."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from pqbed_cli.main import run as pqbed
from torture import checks
from torture.checks import count_samples, leftovers
from torture.page import write_page
from torture.processes import processes_in
from torture.rounds import Round
from torture.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(folder=tmp_path, owner="torture-test")
    for folder in (stage.out, stage.tmp, stage.log):
        folder.mkdir()
    small = ("--rtt", "35", "--loss", "0", "--bandwidth", "1", "--size", "0", "--samples", "4", "--no-aa")
    assert pqbed(["sweep", "--bed", "fake", *small, "--lanes", "1", "--out", str(stage.out)]) == 0
    return stage


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_containers", lambda _: [])
    monkeypatch.setattr(checks, "GONE_AFTER_S", 0.2)


def test_a_whole_run_has_exactly_its_samples_and_nothing_is_left(stage: Stage) -> None:
    run = stage.run_of()
    assert run is not None
    counts = count_samples(run)
    assert counts.planned == 8
    assert (counts.missing, counts.doubled, counts.foreign, counts.lost, counts.failed) == (0, 0, 0, 0, 0)
    assert leftovers(stage, run) == []


def test_wrong_samples_are_counted(stage: Stage) -> None:
    run = stage.run_of()
    assert run is not None
    (part,) = (run / "samples").glob("*.parquet")
    rows = pl.read_parquet(part)
    foreign = rows.head(1).with_columns(cell_id=pl.lit("f" * 12), outcome=pl.lit("lost"))
    failed = rows.tail(1).with_columns(outcome=pl.lit("timeout"))
    pl.concat([rows.head(6), rows.head(1), foreign, failed]).write_parquet(part)
    counts = count_samples(run)
    assert (counts.missing, counts.doubled, counts.foreign, counts.lost, counts.failed) == (1, 1, 1, 1, 1)


def test_what_is_left_is_seen(stage: Stage) -> None:
    run = stage.run_of()
    assert run is not None
    (stage.tmp / "pqbed-guest-x").mkdir()
    (stage.out / ".making-1").mkdir()
    (run / "journal" / "lane-000-0009.ndjson").touch()
    (run / "samples" / ".part-x").touch()
    (run / ".part-manifest.json.1").touch()
    with (stage.tmp / "pqbed-guest-x" / "stderr.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stderr=log)
    try:
        left = leftovers(stage, run)
    finally:
        process.kill()
        process.wait()
    assert [entry.partition(":")[0] for entry in left] == [
        f"process {process.pid}",
        "temporary pqbed-guest-x",
        "beside the run",
        "in the run",
        "journal lane-000-0009.ndjson",
        "half a part",
    ]


def test_a_process_that_closes_files_meanwhile_is_seen_too(tmp_path: Path) -> None:
    busy = "while True: [open('/dev/null') for _ in range(200)]"
    with (tmp_path / "stderr.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-c", busy], stderr=log)
    try:
        assert [processes_in(tmp_path) for _ in range(100)] == [[process.pid]] * 100
    finally:
        process.kill()
        process.wait()


def test_a_round_holds_only_if_everything_does(stage: Stage) -> None:
    run = stage.run_of()
    assert run is not None
    whole = Round(
        number=0,
        seed=1,
        arena="fake",
        options="",
        faults=("kill",),
        codes=(-9, 0),
        samples=count_samples(run),
        verified=True,
        left=(),
        seconds=1.0,
    )
    assert whole.holds
    wrong = [replace(whole, codes=(-9, 4)), replace(whole, verified=False), replace(whole, left=("process 1",))]
    assert not any(each.holds for each in wrong)
    page = stage.folder / "page.md"
    write_page(page, [whole, wrong[2]], {"fake": "nothing", "docker": "an engine"})
    text = page.read_text()
    assert "2 rounds with 2 faults, of which **1 held**" in text
    assert "No rounds on the docker bed: the host of this campaign lacks what it needs (an engine)." in text
    assert "Did not hold" in text
