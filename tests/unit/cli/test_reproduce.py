import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.beds import make_bed as make
from pqbed.beds.fake_bed import FakeBed
from pqbed.errors import HostError
from pqbed.plan import Plan
from pqbed.reproduce import read_study
from pqbed.store.run_directory import open_run
from pqbed_cli.workflows import reproduce_study as workflow
from support.command_line import Pqbed, only_run
from support.sweeps import new_run, small_plan

FAKE = ("--bed", "fake", "--samples", "8", "--lanes", "2")
CLAIMS = 47


def test_a_study_ends_with_its_verdicts_whatever_they_are(pqbed: Pqbed, tmp_path: Path) -> None:
    ended = pqbed("reproduce", "madweb2024", *FAKE)
    assert ended.code == 0
    run = only_run(tmp_path)
    lines = ended.out.splitlines()
    header = next(number for number, line in enumerate(lines) if "published" in line and "CPU" in line)
    table = lines[header + 1 : header + 1 + CLAIMS]
    assert all(line.endswith(("inside", "outside", "not measured")) for line in table)
    assert table[0].startswith("figure 1, p50")
    assert lines[-1] == f"run: results/{run.name}"
    counts = [int(part.split()[0]) for part in lines[-3].split(", ")]
    assert sum(counts) == CLAIMS
    assert "not explained" in ended.out
    assert {"study.toml", "verdicts.json", "report.html", "summary.parquet"} <= {path.name for path in run.iterdir()}
    assert not (run / "cpu.parquet").exists()
    explained = pqbed("explain", "latest", "--rtt", "200", "--loss", "10", "--size", "200", "--bandwidth", "1")
    assert explained.code == 0
    assert explained.out.count("  the expectation does not model segmentation offload-off\n") == 2
    assert explained.out.count("  what loss costs: +") == 2


def test_json_has_every_number_with_its_parts(pqbed: Pqbed) -> None:
    ended = pqbed("reproduce", "madweb2024-wire", *FAKE, "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["study"], len(told["verdicts"])) == (0, "madweb2024-wire", CLAIMS)
    row = next(one for one in told["verdicts"] if one["claim"]["name"] == "figure 3, 0 KiB, p50")
    assert row["published"]["value"] == 33
    assert (row["claim"]["low"], row["claim"]["high"], row["claim"]["basis"][:6]) == (29, 35, '"~33 %')
    assert row["ours"] == row["network"]
    assert row["cpu_ms"] is None
    assert row["standing"] in {"inside", "outside"}
    low, high = row["ours"]["interval"]
    assert low <= row["ours"]["value"] <= high


def test_an_interrupted_study_goes_on_and_is_reported_again(
    pqbed: Pqbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Plan.block_count
    monkeypatch.setattr(Plan, "block_count", property(lambda _: 3))
    pqbed("reproduce", "madweb2024", *FAKE)
    run = only_run(tmp_path)
    monkeypatch.setattr(Plan, "block_count", whole)
    ended = pqbed("reproduce", "--resume", "latest")
    assert ended.code == 0
    with open_run(run) as opened:
        assert opened.manifest.state == "finished"
        assert opened.manifest.run_again == "pqbed reproduce madweb2024 --samples 8 --seed 2024"
        assert len(opened.finished()) == 8 * 70
    assert read_study(run).study.samples == 8
    verdicts = (run / "verdicts.json").read_bytes()
    (run / "verdicts.json").unlink()
    assert pqbed("report", "latest").code == 0
    assert (run / "verdicts.json").read_bytes() == verdicts
    assert "pqbed reproduce madweb2024 --samples 8" in (run / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no study is named"),
        (("madweb2023",), "there is no study 'madweb2023'"),
        (("madweb2024", "--samples", "many"), "samples: 'many' is not a whole number"),
    ],
)
def test_a_wrong_request_is_refused(pqbed: Pqbed, arguments: tuple[str, ...], message: str) -> None:
    ended = pqbed("reproduce", *arguments)
    assert ended.code == 2
    assert message in ended.err


def test_what_is_measured_cannot_change_on_the_way(pqbed: Pqbed) -> None:
    pqbed("reproduce", "madweb2024", "--bed", "fake", "--samples", "1")
    assert "--samples cannot be used with --resume" in pqbed("reproduce", "--resume", "latest", "--samples", "9").err
    assert "resume it with: pqbed reproduce --resume" in pqbed("sweep", "--resume", "latest").err
    assert "not of madweb2024-wire" in pqbed("reproduce", "madweb2024-wire", "--resume", "latest").err


@pytest.mark.parametrize(("before", "after"), [('samples = "1"', 'samples = "2"'), ("low = 1.7", "low = 1.6")])
def test_a_run_whose_study_was_edited_is_not_resumed(pqbed: Pqbed, tmp_path: Path, before: str, after: str) -> None:
    pqbed("reproduce", "madweb2024", "--bed", "fake", "--samples", "1")
    study = only_run(tmp_path) / "study.toml"
    text = study.read_text()
    assert before in text
    study.write_text(text.replace(before, after, 1))
    refused = pqbed("reproduce", "--resume", "latest")
    assert refused.code == 3
    assert "the plan in study.toml was " in refused.err
    assert "start a new run: pqbed reproduce madweb2024" in refused.err
    study.write_text(text)
    assert pqbed("reproduce", "--resume", "latest").code == 0


class Guest(FakeBed):
    """A bed whose virtual clock leaves out the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "uml"


def measure_cpu_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: Any) -> pl.DataFrame:
    monkeypatch.setattr(make, "make_netns", lambda *_: native)
    monkeypatch.setattr(workflow, "CPU_FETCHES", 2)
    with new_run(tmp_path) as run:
        workflow.measure_cpu_term(small_plan(), Guest(), run, None)
        return run.cpu().collect()


def test_the_cpu_is_measured_beside_a_virtual_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = measure_cpu_beside(tmp_path, monkeypatch, FakeBed(clock="real"))
    assert cpu.select("profile", "size_bytes", "lane").n_unique() == 2 * 2 * 5
    assert cpu.height == 2 * 2 * 5 * 2


def test_a_host_that_cannot_measure_the_cpu_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Refusing(FakeBed):
        def prepare(self, stacks: Sequence[str] = ()) -> dict[str, str]:  # noqa: ARG002
            raise HostError("The netns bed needs Linux and root", "Use sudo.")

    cpu = measure_cpu_beside(tmp_path, monkeypatch, Refusing(clock="real"))
    assert cpu.is_empty()
    assert "CPU: not measured, so times are those of the network alone: The netns bed needs" in capsys.readouterr().err
