import json
from pathlib import Path

from support.command_line import Pqbed, only_run

SWEEP = ("sweep", "--bed", "fake", "--rtt", "35", "--bandwidth", "none", "--size", "0", "--samples", "40")


def test_a_resumed_share_is_shown_beside_its_parts(pqbed: Pqbed) -> None:
    swept = pqbed(*SWEEP, "--resumed-share", "0.8")
    assert "resumed-80: 80% resumed, 20% full; TTLB" in swept.out
    rows = [line.split() for line in swept.out.splitlines() if " 80% " in line or " 20% " in line]
    assert {(row[-5], row[-4]) for row in rows if "%" not in row[-3]} == {("full", "20%"), ("resumed", "80%")}
    (_, pq) = json.loads(pqbed("show", "latest", "--json").out)["mixtures"]
    assert (pq["profile"], pq["n"], len(pq["parts"])) == ("pq", 80, 2)
    median = pq["statistics"]["p50"]
    assert median["value_low_ns"] <= median["value_ns"] <= median["value_high_ns"]
    assert median["increase_low_pct"] <= median["increase_pct"] <= median["increase_high_pct"]


def test_another_share_of_the_same_run_is_another_number(pqbed: Pqbed) -> None:
    pqbed(*SWEEP, "--connection", "full,resumed")
    assert "resumed-" not in pqbed("show", "latest").out
    most, none = (
        json.loads(pqbed("show", "latest", "--resumed-share", share, "--json").out)["mixtures"][1]
        for share in ("100%", "0")
    )
    full, resumed = json.loads(pqbed("show", "latest", "--resumed-share", "0.5", "--json").out)["mixtures"][1]["parts"]
    assert most["statistics"]["mean"]["value_ns"] == resumed["mean_ns"]
    assert none["statistics"]["mean"]["value_ns"] == full["mean_ns"]


def test_a_run_of_full_connections_alone_has_no_share(pqbed: Pqbed) -> None:
    pqbed(*SWEEP)
    refused = pqbed("show", "latest", "--resumed-share", "0.8")
    assert refused.code == 2
    assert "has not both full and resumed connections" in refused.err
    assert pqbed("show", "latest", "--resumed-share", "8").code == 2


def test_mixtures_of_two_runs_are_compared(pqbed: Pqbed) -> None:
    runs = [pqbed(*SWEEP, "--resumed-share", "0.8", "--seed", seed, "--json") for seed in ("1", "2")]
    first, second = (json.loads(run.out)["run"] for run in runs)
    compared = pqbed("compare", first, second)
    assert "resumed-80: 80% resumed, 20% full; TTLB" in compared.out
    pairs = json.loads(pqbed("compare", first, second, "--json").out)["mixtures"]
    assert [pair["a"]["profile"] for pair in pairs] == ["classical", "pq"]


def test_a_fleet_is_one_number_and_what_it_is_made_of(pqbed: Pqbed) -> None:
    pqbed("sweep", "--bed", "fake", "--preset", "fleet", "--profile", "classical,pq", "--samples", "8", "--no-aa")
    printed = pqbed("fleet", "latest")
    assert printed.out.startswith("fleet, classical: p50 ")
    assert "over classical: p50 +" in printed.out
    assert "other parts" in printed.out
    classical, pq = json.loads(pqbed("fleet", "latest", "--json").out)["mixtures"]
    difference = pq["statistics"]["mean"]["value_ns"] - classical["statistics"]["mean"]["value_ns"]
    assert abs(sum(pq["contributions_ns"]) - difference) < 1
    assert abs(sum(part["share"] for part in pq["parts"]) - 1) < 1e-9


def test_a_run_without_a_mixture_is_no_fleet(pqbed: Pqbed) -> None:
    pqbed(*SWEEP)
    refused = pqbed("fleet", "latest")
    assert refused.code == 2
    assert "has no mixture" in refused.err


def test_the_report_has_the_mixtures(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed(*SWEEP, "--resumed-share", "0.8")
    pqbed("report", "latest")
    page = (only_run(tmp_path) / "report.html").read_text()
    assert "resumed-80: 80% resumed, 20% full" in page
