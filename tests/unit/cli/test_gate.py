"""Thresholds on `sweep`, `check` and `compare`: exit codes, lines, files."""

import json
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pqbed.beds import fake_bed
from support.command_line import Pqbed, fake_that, only_run

SWEEP = ("sweep", "--bed", "fake", "--rtt", "35", "--bandwidth", "1", "--size", "0,50", "--samples", "40")
SLOW, FAST = "pq.ttlb.increase > 5%", "pq.ttlb.increase > 500%"


def test_a_broken_threshold_is_exit_code_5_and_one_that_holds_is_0(pqbed: Pqbed) -> None:
    failed = pqbed(*SWEEP, "--fail-if", SLOW, "--require", "ttlb < 10s")
    assert failed.code == 5
    lines = failed.out.splitlines()
    assert "FAILED  fail if pq.ttlb.increase > 5%: 2 of 2 cells failed" in lines
    assert "passed  require ttlb < 10s: 0 of 4 cells failed" in lines
    assert pqbed("check", "latest").code == 5
    assert pqbed(*SWEEP, "--fail-if", FAST).code == 0
    assert pqbed("check", "latest").code == 0
    assert pqbed("check", "latest", "--fail-if", SLOW).code == 5


def test_thresholds_of_a_sweep_file_are_stored_with_units_and_flags_add_to_them(pqbed: Pqbed, tmp_path: Path) -> None:
    spec = tmp_path / "s.toml"
    spec.write_text(f'[thresholds]\nfail_if = ["{FAST}"]\nrequire = ["ttlb < 10s at rtt=35ms"]\n')
    assert pqbed(*SWEEP, "--spec", str(spec), "--fail-if", "ttlb > 20s at size=0").code == 0
    stored = tomllib.loads((only_run(tmp_path) / "sweep.toml").read_text())["thresholds"]
    assert stored == {"fail_if": [FAST, "ttlb > 20s at size=0B"], "require": ["ttlb < 10s at rtt=35ms"]}


def test_files_and_annotations_say_the_same(pqbed: Pqbed, tmp_path: Path) -> None:
    files = ("--junit", "j.xml", "--summary", "s.md", "--annotate")
    ended = pqbed(*SWEEP, "--fail-if", SLOW, "--require", "failures < 1", *files)
    suites = ET.parse(tmp_path / "j.xml").getroot().findall("testsuite")
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in suites] == [
        (SLOW, "2", "2"),
        ("failures < 1", "4", "0"),
    ]
    assert len(ET.parse(tmp_path / "j.xml").getroot().findall(".//failure")) == 2
    summary = (tmp_path / "s.md").read_text()
    assert "2 of 6 checks failed." in summary
    assert summary.count("| violated |") == 2
    assert ended.out.count("::error title=pqbed%3A pq.ttlb.increase > 5%25::violated: ") == 2
    pqbed("check", "latest", "--summary", "s.md")
    assert (tmp_path / "s.md").read_text() == summary * 2


def test_json_has_the_verdicts_and_no_number_that_is_none(pqbed: Pqbed) -> None:
    pqbed(*SWEEP, "--fail-if", SLOW, "--fail-if", "ttlb.p99 > 1ms")
    verdicts = json.loads(pqbed("check", "latest", "--json").out, parse_constant=pytest.fail)["verdicts"]
    assert [row["status"] for row in verdicts] == ["violated"] * 6
    assert [row["high"] is None for row in verdicts] == [False] * 2 + [True] * 4


def test_too_few_samples_are_said_and_break_the_gate(pqbed: Pqbed) -> None:
    ended = pqbed(*SWEEP[:-1], "5", "--fail-if", FAST)
    assert ended.code == 5
    assert "5 samples are too few for an interval: p50 takes 6" in ended.out


def test_failed_fetches_are_counted_and_their_own_exit_code_comes_first(
    pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_that(monkeypatch, fail_at=range(1, 1000), fail_with="timeout")
    assert pqbed(*SWEEP, "--fail-if", "pq.failures > 50%").code == 4
    checked = pqbed("check", "latest")
    assert checked.code == 5
    assert "100.0% (91.2% to 100.0%)" in checked.out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--fail-if", "pqq.ttlb > 1s"), "no cell has the profile of 'pqq.ttlb > 1s'"),
        (("--fail-if", "ttlb > 1s at rtt=36"), "no cell has the conditions of 'ttlb > 1s at rtt=36ms'"),
        (("--fail-if", "ttlb > 1"), "--fail-if: '1' is not a time"),
        (("--junit", "nowhere/j.xml", "--fail-if", "ttlb > 1s"), "--junit: there is no folder nowhere"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_measured(
    pqbed: Pqbed, tmp_path: Path, typed: tuple[str, ...], said: str
) -> None:
    ended = pqbed(*SWEEP, *typed)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert not (tmp_path / "results").exists()


def test_check_without_a_threshold_is_a_wrong_request(pqbed: Pqbed) -> None:
    pqbed(*SWEEP)
    ended = pqbed("check", "latest")
    assert ended.code == 2
    assert "there is nothing to check" in ended.err


def test_two_runs_are_gated_by_their_change(pqbed: Pqbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pqbed(*SWEEP, "--name", "before")
    monkeypatch.setattr(fake_bed, "SPREAD", 1.0)
    pqbed(*SWEEP, "--name", "after")
    before, after = sorted((tmp_path / "results").iterdir(), key=lambda run: "after" in run.name)
    worse = pqbed("compare", str(before), str(after), "--fail-if", "ttlb.increase > 20%")
    assert worse.code == 5
    assert "FAILED  fail if ttlb.increase > 20%: " in worse.out
    assert pqbed("compare", str(after), str(before), "--fail-if", "ttlb.increase > 20%").code == 0
    assert pqbed("compare", str(before), str(after), "--fail-if", "ttlb > 1s").code == 2
