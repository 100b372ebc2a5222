"""`--metric` on what shows, compares and reports a run, and on the precision of a sweep."""

import json
from pathlib import Path

import polars as pl
import pytest

from pqbed.plan import plan_hash, plan_sweep
from pqbed.spec.sweep_toml import sweep_from
from pqbed_cli.exits import GATE_FAILED, USAGE
from support.command_line import Pqbed, only_run

SWEEP = ("--bed", "fake", "--rtt", "35", "--bandwidth", "1", "--size", "0,50", "--samples", "30")


@pytest.fixture
def run(pqbed: Pqbed, tmp_path: Path) -> Path:
    assert pqbed("sweep", *SWEEP).code == 0
    return only_run(tmp_path)


def test_show_prints_the_handshake_as_the_summary_has_it(pqbed: Pqbed, run: Path) -> None:
    shown = json.loads(pqbed("show", str(run), "--metric", "tls", "--json").out)
    assert shown["metric"] == "tls"
    stored = {row["cell_id"]: row for row in pl.read_parquet(run / "summary.parquet").to_dicts()}
    for cell in shown["cells"]:
        assert cell["handshake_p50_ns"] == stored[cell["cell_id"]]["handshake_p50_ns"]
    text = pqbed("show", str(run), "--metric", "tls").out
    pq = next(cell for cell in shown["cells"] if cell["profile"] == "pq" and cell["size_bytes"] == 0)
    assert f"{pq['handshake_increase_p50_pct']:+.1f}%" in text
    assert "times as long as classical to the end of the TLS handshake at p50" in text


def test_any_percentile_of_any_metric_is_of_its_own_samples(pqbed: Pqbed, run: Path) -> None:
    shown = json.loads(pqbed("show", str(run), "--metric", "first_byte", "--percentile", "75", "--json").out)
    samples = pl.read_parquet(run / "samples" / "*.parquet")
    for cell in shown["cells"]:
        own = samples.filter(pl.col("cell_id") == cell["cell_id"])["first_byte_ns"]
        assert cell["first_byte_p75_ns"] == pytest.approx(own.quantile(0.75, "linear"))


def test_compare_is_of_the_metric(pqbed: Pqbed, run: Path) -> None:
    compared = json.loads(
        pqbed("compare", str(run), str(run), "--metric", "retransmits", "--percentile", "50", "--json").out
    )
    assert compared["metric"] == "retransmits"
    assert {(row["a_segments"], row["finding"]) for row in compared["cells"]} == {(0.0, "equivalent")}
    assert "Retransmits of the client" in pqbed("compare", str(run), str(run), "--metric", "retransmits").out


@pytest.mark.parametrize(
    ("metric", "words"), [("tls", "end of the TLS handshake"), ("bytes", "bytes of the handshake")]
)
def test_a_report_of_another_metric_stands_beside_that_of_ttlb(
    metric: str, words: str, pqbed: Pqbed, run: Path
) -> None:
    assert pqbed("report", str(run)).code == 0
    before = (run / "report.html").read_bytes()
    assert pqbed("report", str(run), "--metric", metric).code == 0
    page = (run / f"report-{metric}.html").read_text()
    assert (run / "report.html").read_bytes() == before
    assert words in page
    assert (run / "figures" / f"increase-over-size-{metric}.svg").is_file()


def test_a_precision_may_be_that_of_the_handshake(pqbed: Pqbed, tmp_path: Path) -> None:
    asked = ("--rtt", "35", "--bandwidth", "1", "--size", "50", "--precision", "2%", "--metric", "tls")
    ended = pqbed("sweep", "--bed", "fake", *asked)
    assert ended.code == 0
    run = only_run(tmp_path)
    [row] = pl.read_parquet(run / "precision.parquet").to_dicts()
    shown = json.loads(pqbed("show", str(run), "--json").out)
    assert shown["metric"] == "tls"  # what it was measured for
    [pq] = [cell for cell in shown["cells"] if cell["profile"] == "pq"]
    half = (pq["handshake_increase_p50_high_pct"] - pq["handshake_increase_p50_low_pct"]) / 2
    [again] = [cell for cell in shown["cells"] if cell["copy_of"]]
    half_again = (again["handshake_increase_p50_high_pct"] - again["handshake_increase_p50_low_pct"]) / 2
    assert row["half_width_pct"] == pytest.approx(max(half, half_again))
    assert row["standing"] == "reached"
    assert pqbed("sweep", "--resume", str(run)).code == 0


def test_what_samples_do_not_make_precise_has_no_precision(pqbed: Pqbed) -> None:
    ended = pqbed("plan", "--bed", "fake", "--precision", "2%", "--metric", "bytes")
    assert ended.code == USAGE
    assert "--metric" in ended.err


def test_a_plan_of_ttlb_has_the_hash_it_had(pqbed: Pqbed) -> None:
    assert pqbed("plan", "--bed", "fake", "--metric", "x").code == USAGE
    hashes = {
        name: plan_hash(plan_sweep(sweep_from({"precision": "2%", "metric": name}, bare=True)[0]))
        for name in ("ttlb", "tls")
    }
    assert hashes["ttlb"] == plan_hash(plan_sweep(sweep_from({"precision": "2%"}, bare=True)[0]))
    assert hashes["ttlb"] != hashes["tls"]


def test_a_threshold_names_the_handshake_as_the_flag_does(pqbed: Pqbed, run: Path) -> None:
    for name in ("tls", "handshake"):
        assert pqbed("check", str(run), "--fail-if", f"pq.{name}.increase > 5%").code == GATE_FAILED
