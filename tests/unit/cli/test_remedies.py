import json
from pathlib import Path
from typing import Any

from support.command_line import Pqbed

REFERENCE = Path(__file__).parents[3] / "results/reference/remedies"
SWEEP = ("--bed", "fake", "--preset", "remedies", "--link", "wpt-3g,wpt-lte", "--samples", "2")


def test_remedies_of_a_run_are_ranked_per_link(pqbed: Pqbed) -> None:
    assert pqbed("sweep", *SWEEP).code == 0
    shown = pqbed("remedies", "latest")
    assert shown.code == 0
    assert shown.out.count("profile web-p50-pq") == 2
    by_size = [line for line in shown.out.splitlines() if "  by size  " in line]
    assert len(by_size) == 2 * 6
    assert "wpt-3g, 10KiB: " in shown.out


def test_remedies_for_programs_are_sorted(pqbed: Pqbed) -> None:
    assert pqbed("sweep", *SWEEP).code == 0
    links: list[dict[str, Any]] = json.loads(pqbed("remedies", "latest", "--json").out)["links"]
    assert [link["helped"]["link_name"] for link in links] == ["wpt-3g", "wpt-lte"]
    for link in links:
        times = [one["p50_ns"] for one in link["remedies"]]
        assert times == sorted(times)
        assert len(times) == 9 + 1 + 2 + 1
        assert link["advice"].startswith(link["helped"]["link_name"])


def test_an_explanation_ends_with_what_would_help(pqbed: Pqbed) -> None:
    assert pqbed("sweep", *SWEEP).code == 0
    asked = ("explain", "latest", "--profile", "web-p50-pq", "--initcwnd", "10", "--connection", "full")
    lines = pqbed(*asked).out.splitlines()
    advice = [line for line in lines if line.startswith("what would help: ")]
    assert [line.split()[3] for line in advice] == ["wpt-3g,", "wpt-lte,"]
    assert lines[-1] == advice[-1]
    assert len(json.loads(pqbed(*asked, "--json").out)["would_help"]) == 2
    other = pqbed("explain", "latest", "--profile", "falcon512", "--initcwnd", "10", "--connection", "full")
    assert "what would help" not in other.out


def test_remedies_are_measured_where_no_run_is_named(pqbed: Pqbed) -> None:
    measured = pqbed("remedies", "--bed", "fake", "--link", "wpt-lte", "--size", "20", "--samples", "2")
    assert measured.code == 0, measured.err
    assert "wpt-lte, 20KiB\n" in measured.out
    assert "Merkle Tree, 10% stale clients" in measured.out
    assert pqbed("remedies", "latest").out == measured.out


def test_the_chain_to_be_helped_may_be_another_one(pqbed: Pqbed) -> None:
    asked = ("--bed", "fake", "--link", "wpt-lte", "--samples", "2", "--profile", "web-p95-pq")
    (link,) = json.loads(pqbed("remedies", *asked, "--json").out)["links"]
    assert link["helped"]["profile"] == "web-p95-pq"
    stale = [one for one in link["remedies"] if one["profile"] == "merkle-tree-stale"]
    assert len(stale) == 1
    assert {one["connection"] for one in link["remedies"]} == {"full", "resumed"}


def test_what_says_how_to_measure_is_refused_beside_a_run(pqbed: Pqbed) -> None:
    pqbed("sweep", *SWEEP)
    refused = pqbed("remedies", "latest", "--size", "20")
    assert refused.code == 2
    assert "--size says how to measure, and latest is measured already" in refused.err
    assert pqbed("remedies", "--profile", "pq", "--chain", "x.pem").code == 2


def test_the_run_behind_the_documentation_is_read_again(pqbed: Pqbed) -> None:
    links = json.loads(pqbed("remedies", str(REFERENCE), "--json").out)["links"]
    names = ["wpt-3g", "lighthouse-slow-4g", "wpt-lte", "wpt-cable", "sosnowski-5g"]
    assert [link["helped"]["link_name"] for link in links] == names
    page = (Path(__file__).parents[3] / "docs/how-to/remedies.md").read_text()
    for link in links:
        assert " ".join(link["advice"].split()) in " ".join(page.split())
    first = pqbed("remedies", str(REFERENCE)).out.partition("\n\n")[0]
    assert first in page
