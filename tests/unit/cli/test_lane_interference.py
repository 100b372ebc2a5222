import json
from pathlib import Path
from typing import Any

import pytest

from pqbed.beds import make_bed as make
from pqbed.report.run_facts import list_facts
from pqbed.runner import lane_worker
from pqbed.store.run_directory import open_run
from support.command_line import SMALL, Pqbed, fake_that, only_run
from support.crowded import CrowdedBed
from support.sweeps import forget_samples

REAL = (*SMALL, "--clock", "real", "--samples", "2")


def checks(folder: Any) -> Any:
    with open_run(only_run(folder)) as run:
        return run.manifest.lane_checks, set(run.samples().collect()["lane"])


def checks_lanes(pqbed: Pqbed, *arguments: Any) -> Any:
    return json.loads(pqbed("plan", *REAL, *arguments, "--json").out)["run"]["lane_check"]


def crowd(monkeypatch: Any, room: Any) -> None:
    monkeypatch.setitem(make.MAKERS, "fake", lambda *_: CrowdedBed(room))


def test_lanes_that_disturb_one_another_are_not_taken(
    pqbed: Pqbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(monkeypatch, 1)
    ended = pqbed("sweep", *REAL, "--lanes", "2")
    assert ended.code == 0
    [line] = [line for line in ended.err.splitlines() if line.startswith("lanes: ")]
    assert line.startswith("lanes: 1 of 2, because more slow each other down: with 2 p50 is +")
    [check], lanes = checks(tmp_path)
    assert (check.asked, check.taken) == (2, 1)
    assert lanes == {0}
    with open_run(only_run(tmp_path)) as run:
        assert "1 of 2 requested" in dict(list_facts(run.manifest, None))["Lanes in parallel"]


def test_samples_under_pressure_are_told(pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_worker, "is_contended", lambda _: True)
    pqbed("sweep", *REAL, "--lanes", "1")
    shown = pqbed("show", "latest").out
    assert "48 of 48 samples were taken under CPU contention: their times may be too long" in shown
    assert json.loads(pqbed("show", "latest", "--json").out)["pressed"] == {"pressed": 48, "known": 48}


def test_lanes_that_do_not_are(pqbed: Pqbed, tmp_path: Path) -> None:
    ended = pqbed("sweep", *REAL, "--lanes", "2", "--json")
    assert "lanes: 2 do not slow each other down (p50 +0.0% compared with one alone)" in ended.err
    assert json.loads(ended.out)
    [check], _ = checks(tmp_path)
    assert check.taken == 2


@pytest.mark.parametrize("more", [("--lanes=2", "--no-lane-check"), ("--lanes=1",), ("--lanes=2", "--clock=virtual")])
def test_it_is_left_out_where_it_is_not_wanted_or_nothing_can_be_seen(
    pqbed: Pqbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: Any
) -> None:
    if "--clock=virtual" not in more:
        crowd(monkeypatch, 1)
    assert "lanes: " not in pqbed("sweep", *REAL, *more).err
    assert checks(tmp_path)[0] == ()


def test_a_sweep_file_may_leave_it_out(pqbed: Pqbed, tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text("[run]\nlane_check = false\n")
    assert not checks_lanes(pqbed, "--spec", "sweep.toml")
    assert checks_lanes(pqbed, "--spec", "sweep.toml", "--lane-check")
    pqbed("sweep", *REAL, "--spec", "sweep.toml", "--lanes", "2")
    assert "lane_check = false" in (only_run(tmp_path) / "sweep.toml").read_text()
    assert checks(tmp_path)[0] == ()


def test_the_old_names_are_still_read(pqbed: Pqbed, tmp_path: Path) -> None:
    (tmp_path / "old.toml").write_text("[run]\nguard = false\n")
    assert not checks_lanes(pqbed, "--spec", "old.toml")
    assert checks_lanes(pqbed, "--spec", "old.toml", "--guard")
    assert not checks_lanes(pqbed, "--no-guard")
    assert "guard" not in pqbed("sweep", "--help").out


def test_a_study_without_it_does_not_do_it(pqbed: Pqbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pqbed.report.write_report.write_figures", lambda *_: [])
    crowd(monkeypatch, 1)
    study = ("reproduce", "madweb2024", "--bed", "fake", "--clock", "real", "--samples", "2", "--lanes", "2")
    assert "lanes: " not in pqbed(*study, "--no-lane-check").err
    assert checks(tmp_path)[0] == ()
    assert "lane_check = false" in (only_run(tmp_path) / "study.toml").read_text()


def test_a_resumed_run_is_checked_again_and_a_finished_one_is_not(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed("sweep", *REAL, "--lanes", "2")
    pqbed("sweep", "--resume", "latest", "--lanes", "2")
    assert len(checks(tmp_path)[0]) == 1
    forget_samples(only_run(tmp_path))
    pqbed("sweep", "--resume", "latest", "--lanes", "2")
    assert len(checks(tmp_path)[0]) == 2


def test_a_lane_that_dies_meanwhile_does_not_end_the_sweep(pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_that(monkeypatch, die_at=(10,))
    ended = pqbed("sweep", *REAL, "--lanes", "2")
    assert ended.code == 0
    assert "lanes: 2, but the test whether they slow each other down failed" in ended.err
