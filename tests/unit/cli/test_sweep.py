import json
import re
import signal
from pathlib import Path

import polars as pl
import pytest
from syrupy.assertion import SnapshotAssertion

from pqbed.plan import plan_sweep
from pqbed_cli.exits import HOST_UNFIT, SOME_FAILED
from pqbed_cli.options import SweepOptions
from pqbed_cli.workflows.sweep_request import read_request
from support.command_line import SMALL, Pqbed, fake_that, interrupt_a_slow_sweep, only_run

WITHOUT_COPY = (*SMALL, "--no-aa")
ESCAPE = "\x1b"


def without_path(text: str) -> str:
    return re.sub(r"\d{8}T\d{6}Z", "<utc>", text)


def edit_manifest(run: Path, **changes: object) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | changes))


def test_a_sweep_ends_with_a_table_and_the_path_of_its_run(
    pqbed: Pqbed, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    ended = pqbed("sweep", *SMALL, "--samples", "20", "--lanes", "2")
    assert ended.code == 0
    assert without_path(ended.out) == snapshot
    assert ended.out.splitlines()[-1] == f"run: results/{only_run(tmp_path).name}"
    assert ESCAPE not in ended.out + ended.err
    assert (only_run(tmp_path) / "summary.parquet").exists()


def test_progress_is_a_plain_line_every_tenth(pqbed: Pqbed) -> None:
    ended = pqbed("sweep", *WITHOUT_COPY, "--samples", "20")
    lines = [line for line in ended.err.splitlines() if "failed" in line]
    assert len(lines) == 10
    assert lines[0].startswith("32 of 320 samples, 0 failed, ")
    assert lines[-1].startswith("320 of 320 samples, 0 failed in ")


def test_many_profiles_are_set_one_below_the_other(pqbed: Pqbed, snapshot: SnapshotAssertion) -> None:
    profiles = "classical,classical-ecdsa,hybrid,pq"
    pqbed("sweep", "--bed", "fake", "--rtt", "35", "--size", "0,50", "--profile", profiles, "--samples", "12")
    assert without_path(pqbed("show", "latest").out) == snapshot


def test_show_prints_the_table_of_the_sweep_again(pqbed: Pqbed, tmp_path: Path) -> None:
    swept = pqbed("sweep", *SMALL, "--samples", "8")
    table = swept.out[swept.out.index("TTLB in ms") :]
    assert pqbed("show", "latest").out == table
    assert pqbed("show", f"results/{only_run(tmp_path).name}").out == table


def test_show_takes_other_percentiles(pqbed: Pqbed) -> None:
    pqbed("sweep", *SMALL, "--samples", "8")
    shown = pqbed("show", "latest", "--percentile", "75").out
    assert "increase p75" in shown
    assert "increase p90" in pqbed("show", "latest", "--percentile", "p90").out


def test_show_takes_any_percentile_and_says_where_samples_are_too_few(pqbed: Pqbed) -> None:
    pqbed("sweep", "--bed", "fake", "--rtt", "35", "--bandwidth", "1", "--size", "0", "--samples", "400")
    shown = pqbed("show", "latest", "--percentile", "99,99.9").out
    assert re.search(r"increase p99  finding", shown)
    assert re.search(r"classical .* ±\d+\.\d%  400/400", shown)
    assert re.search(r"pq .* \+\d+\.\d% \(\d+\.\d to \d+\.\d\)  differs +400/400", shown)
    assert "p99: not enough" not in shown
    assert "p99.9: not enough samples for an interval, which takes 3688" in shown
    classical, pq, copy = json.loads(pqbed("show", "latest", "--percentile", "99,99.9", "--json").out)["cells"]
    assert classical["p99_low_ns"] < classical["p99_ns"] < classical["p99_high_ns"]
    assert pq["increase_p99_low_pct"] > pq["noise_p99_pct"] > 0
    assert (pq["finding_p99"], pq["finding_p99.9"], copy["finding_p99"]) == ("differs", "undecided", None)
    assert pq["increase_p99.9_pct"] > 0
    assert pq["increase_p99.9_low_pct"] is None
    assert (pq["finding_p50"], pq["margin"], copy["copy_of"]) == ("differs", "1%", "classical")


def test_the_margin_of_show_decides_what_is_equivalent(pqbed: Pqbed) -> None:
    pqbed("sweep", *SMALL, "--samples", "20")
    shown = pqbed("show", "latest", "--margin", "900ms").out
    assert "differs" not in shown
    assert "equivalent: within ±900ms" in shown


def test_json_owns_stdout(pqbed: Pqbed) -> None:
    ended = pqbed("sweep", *WITHOUT_COPY, "--samples", "3", "--json")
    swept = json.loads(ended.out)
    assert ended.code == 0
    assert len(swept["cells"]) == 16
    assert {cell["n_ok"] for cell in swept["cells"]} == {3}
    assert "bed: fake" in ended.err
    assert json.loads(pqbed("show", "latest", "--json").out) == swept


def test_the_plan_of_the_defaults(pqbed: Pqbed, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    ended = pqbed("plan", "--bed", "fake", "--rtt", "35,200", "--loss", "0,1,3,10", "--lanes", "2")
    assert ended.code == 0
    assert ended.out == snapshot
    assert not (tmp_path / "results").exists()


def test_sides_and_directions_stand_in_the_plan_and_in_the_table(pqbed: Pqbed) -> None:
    apart = ("--bandwidth-up", "0.5,same", "--loss-up", "0", "--initcwnd-client", "5", "--congestion-control", "bbr")
    plan = pqbed("plan", *SMALL, *apart, "--samples", "1").out
    for axis in (
        r"bandwidth up +2  500kbit, same",
        r"loss up +1  0%",
        r"initcwnd client +1  5",
        r"congestion control +1  bbr",
    ):
        assert re.search(axis, plan)
    table = pqbed("sweep", *SMALL, *apart, "--samples", "1").out
    assert "initcwnd 10 (client 5), congestion control bbr" in table
    assert "rtt 35ms, bandwidth 1mbit (up 500kbit), loss 1% (up 0%)" in table
    assert "rtt 200ms, bandwidth 1mbit, loss 0% (up 0%)" in table


def test_the_plan_as_json_has_every_cell(pqbed: Pqbed) -> None:
    planned = json.loads(pqbed("plan", *WITHOUT_COPY, "--samples", "5", "--lanes", "1", "--json").out)
    assert planned["estimate"]["cells"] == len(planned["cells"]) == 16
    assert planned["estimate"]["fetches"] == 80
    assert planned["run"]["bed"] == "fake"


def test_flags_and_a_sweep_file_give_the_same_sweep(pqbed: Pqbed, tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text(
        'rtt = ["35ms", "200ms"]\nbandwidth = "1mbit"\nloss = ["0%", "1%"]\nsize = ["0KiB", "200KiB"]\n'
        'samples = 7\n[run]\nbed = "fake"\n'
    )
    flags = json.loads(pqbed("plan", *SMALL, "--samples", "7", "--json").out)
    file = json.loads(pqbed("plan", "--spec", "sweep.toml", "--json").out)
    assert flags == file


def test_the_sweep_file_of_a_run_gives_the_same_run(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed("sweep", *SMALL, "--samples", "2")
    first = only_run(tmp_path)
    again = pqbed("plan", "--spec", str(first / "sweep.toml"), "--json")
    cells = pl.read_parquet(first / "cells.parquet")["cell_id"].to_list()
    assert list(json.loads(again.out)["cells"]) == cells


def test_flags_are_laid_over_a_sweep_file(tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text('rtt = "35ms"\nloss = "3%"\n')
    sweep = read_request(SweepOptions(axes={"rtt": "200"}, spec=tmp_path / "sweep.toml", samples="1")).sweep
    assert sweep.rtt_ns == (200_000_000,)
    assert sweep.loss[0].probability_ppm == 30_000


def test_a_cell_without_a_good_sample_ends_with_4(pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_that(monkeypatch, fail_at=range(1, 1000))
    ended = pqbed("sweep", "--bed", "fake", "--rtt", "35", "--size", "0", "--bandwidth", "1", "--samples", "2")
    assert ended.code == 4
    assert "failed: pq 0B: 2 tls_error" in ended.out
    assert "6 of 6 samples, 6 failed" in ended.err
    assert "undecided" not in ended.out


def test_a_failed_percentile_is_not_a_number(pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_that(monkeypatch, fail_at=(1, 2, 3))
    options = ("--rtt", "35", "--size", "0", "--bandwidth", "1", "--profile", "classical", "--no-aa", "--samples", "8")
    shown = pqbed("sweep", "--bed", "fake", *options, "--lanes", "1").out
    assert re.search(r"0B +\d+\.\d +failed +\d+\.\d +\d+\.\d +5/8", shown)


def test_a_lane_that_dies_is_noted_and_the_sweep_goes_on(pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_that(monkeypatch, die_at=(3,))
    ended = pqbed("sweep", *SMALL, "--samples", "2", "--lanes", "1")
    assert ended.code == 0
    assert "lane 0 failed and is started again" in ended.err
    assert "server_down" not in ended.out


def test_a_lost_fetch_is_reported_and_does_not_count_as_slow(
    pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options = ("--rtt", "35", "--size", "0", "--bandwidth", "1", "--profile", "classical", "--no-aa", "--samples", "8")
    whole = pqbed("sweep", "--bed", "fake", *options, "--lanes", "1", "--out", "whole").out
    fake_that(monkeypatch, die_at=(3, 4, 5))
    ended = pqbed("sweep", "--bed", "fake", *options, "--lanes", "1")
    assert ended.code == 0
    assert "classical 0B: 1 lost" in ended.out
    assert "7/8" in ended.out
    (row,) = pl.read_parquet(only_run(tmp_path) / "summary.parquet").to_dicts()
    assert (row["n"], row["n_ok"], row["n_failed"], row["n_lost"]) == (8, 7, 0, 1)
    assert row["p90_ns"] is not None
    assert "8/8" in whole


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_kill_keep_what_was_measured_and_the_run_can_go_on(
    pqbed: Pqbed, tmp_path: Path, how: signal.Signals
) -> None:
    code, out, err = interrupt_a_slow_sweep(tmp_path, how)
    run = only_run(tmp_path)
    assert code == 130
    assert "TTLB in ms" in out
    assert f"resume with: pqbed sweep --resume results/{run.name}" in err
    assert "Traceback" not in err

    resumed = pqbed("sweep", "--resume", f"results/{run.name}", "--lanes", "1")
    assert resumed.code == 0
    assert re.search(r"^[1-9]\d* of 1200 samples are there already$", resumed.err, re.MULTILINE)
    samples = pl.read_parquet(run / "samples")
    assert samples.height == 1200
    assert samples.select("cell_id", "repetition").n_unique() == 1200
    assert pqbed("sweep", "--resume", "latest").code == 0


def test_the_signal_is_given_back(pqbed: Pqbed) -> None:
    before = signal.getsignal(signal.SIGTERM)
    pqbed("plan", *SMALL)
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_samples_of_a_resumed_run_are_those_of_its_plan(pqbed: Pqbed, tmp_path: Path) -> None:
    interrupt_a_slow_sweep(tmp_path)
    pqbed("sweep", "--resume", "latest")
    axes = {"rtt": "35,200", "bandwidth": "1", "loss": "0,1", "size": "0,200"}
    plan = plan_sweep(read_request(SweepOptions(axes=axes, samples="50")).sweep)
    planned = {(fetch.cell_id, fetch.repetition, fetch.seed) for block in plan.blocks() for fetch in block}
    samples = pl.read_parquet(only_run(tmp_path) / "samples")
    assert set(samples.select("cell_id", "repetition", "seed").rows()) == planned


def test_a_sample_below_the_floor_fails_the_run_and_names_the_cell(
    pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pqbed.beds.fake_bed.SPREAD", -0.05)
    one = ("--rtt", "35", "--bandwidth", "1", "--size", "0", "--loss", "0", "--profile", "pq", "--no-aa")
    ended = pqbed("sweep", "--bed", "fake", *one, "--samples", "3")
    assert ended.code == SOME_FAILED
    told = r"^error: 3 samples of cell \w+ \(pq\) lie below the floor: the last byte of repetition \d came after \S+ ms"
    assert len(re.findall(told, ended.out, re.MULTILINE)) == 1
    assert "  hint: the link was not what was asked, or the clock is wrong: do not use this run\n" in ended.out
    shown = pqbed("show", "latest", "--json")
    (below,) = json.loads(shown.out)["below_floor"]
    assert (below["samples"], below["profile"], below["milestone"]) == (3, "pq", "last_byte_ns")
    assert below["least_ns"] < below["floor_ns"]
    assert shown.err.startswith("error: 3 samples of cell ")


def test_a_run_from_before_there_was_an_aa_arm_goes_on_without_it(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed("sweep", *WITHOUT_COPY, "--samples", "3")
    run = only_run(tmp_path)
    text = (run / "sweep.toml").read_text()
    assert "aa = false\n" in text
    (run / "sweep.toml").write_text(text.replace("aa = false\n", "").replace("samples = 3", "samples = 4"))
    edit_manifest(run, plan="")
    resumed = pqbed("sweep", "--resume", "latest")
    assert resumed.code == 0
    assert "48 of 64 samples are there already" in resumed.err
    assert pl.read_parquet(run / "cells.parquet").height == 16


def test_the_aa_arm_is_counted_and_cannot_be_changed_on_resuming(pqbed: Pqbed) -> None:
    with_copy, without = (
        json.loads(pqbed("plan", *options, "--json").out)["estimate"] for options in (SMALL, WITHOUT_COPY)
    )
    assert (with_copy["cells"], without["cells"]) == (24, 16)
    assert without["samples"] * 0.5 < with_copy["samples"] < without["samples"]
    assert with_copy["seconds"] == pytest.approx(300, rel=0.01)
    pqbed("sweep", *SMALL, "--samples", "1")
    refused = pqbed("sweep", "--resume", "latest", "--no-aa")
    assert refused.code == 2
    assert "--no-aa cannot be used with --resume" in refused.err


def test_calibrate_is_of_the_run_and_means_the_same_from_a_file(pqbed: Pqbed, tmp_path: Path) -> None:
    assert pqbed("sweep", *SMALL, "--samples", "2", "--calibrate", "off").code == 0
    run = only_run(tmp_path)
    assert 'calibrate = "off"' in (run / "sweep.toml").read_text()
    assert not (run / "calibration.parquet").exists()
    refused = pqbed("sweep", "--resume", str(run), "--calibrate", "once")
    assert refused.code == 2
    assert "--calibrate cannot be used with --resume" in refused.err
    planned = json.loads(pqbed("plan", "--spec", str(run / "sweep.toml"), "--json").out)
    assert planned["run"]["calibrate"] == "off"
    assert planned["estimate"]["links"] == 0
    assert pqbed("plan", "--calibrate", "often").code == 2


def test_a_plan_says_how_long_links_take_on_a_real_clock(pqbed: Pqbed) -> None:
    told = pqbed("plan", "--bed", "netns", "--rtt", "35,200", "--loss", "0,1", "--size", "0", "--samples", "5").out
    assert re.search(r", of which \d+ s to calibrate 8 links$", told.strip())


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("seed = 7", "seed = 8", "the seed in sweep.toml was 7 and is now 8"),
        ("samples = 3", "samples = 4", "the plan in sweep.toml was "),
        ('timeout = "30s"', 'timeout = "1ms"', "the plan in sweep.toml was "),
    ],
)
def test_a_run_whose_sweep_was_edited_is_not_resumed(
    pqbed: Pqbed, tmp_path: Path, before: str, after: str, named: str
) -> None:
    pqbed("sweep", *WITHOUT_COPY, "--samples", "3", "--seed", "7", "--timeout", "30s")
    run = only_run(tmp_path)
    text = (run / "sweep.toml").read_text()
    assert before in text
    (run / "sweep.toml").write_text(text.replace(before, after))
    manifest = (run / "manifest.json").read_text()
    refused = pqbed("sweep", "--resume", "latest")
    assert refused.code == HOST_UNFIT
    assert named in refused.err
    assert f"start a new run: pqbed sweep --spec results/{run.name}/sweep.toml" in refused.err
    assert (run / "manifest.json").read_text() == manifest
    (run / "sweep.toml").write_text(text)
    assert pqbed("sweep", "--resume", "latest").code == 0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"artefacts": {"fake": "sha256:1"}}, "fake was sha256:1 and is now sha256:0"),
        ({"clock": "real"}, "the clock of the manifest was virtual and is now real"),
        ({"kernel": "fake-2"}, "the kernel of the manifest was fake-1 and is now fake-2"),
    ],
)
def test_samples_of_another_bed_are_not_added_to_a_run(
    pqbed: Pqbed, tmp_path: Path, changes: dict[str, object], named: str
) -> None:
    pqbed("sweep", *WITHOUT_COPY, "--samples", "3")
    run = only_run(tmp_path)
    edit_manifest(run, **changes)
    refused = pqbed("sweep", "--resume", "latest")
    assert refused.code == HOST_UNFIT
    assert named in refused.err


def test_each_resumption_is_recorded(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed("sweep", *WITHOUT_COPY, "--samples", "3")
    pqbed("sweep", "--resume", "latest")
    pqbed("sweep", "--resume", "latest", "--lanes", "1")
    manifest = json.loads((only_run(tmp_path) / "manifest.json").read_text())
    assert [entry["samples"] for entry in manifest["resumed"]] == [48, 48]
    assert {entry["pqbed"] for entry in manifest["resumed"]} == {manifest["pqbed"]}
