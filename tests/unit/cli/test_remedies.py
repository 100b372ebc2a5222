import json
from typing import Any

from support.command_line import Pqbed

SWEEP = ("--bed", "fake", "--preset", "remedies", "--link", "wpt-3g,wpt-lte", "--samples", "2")


def test_remedies_of_a_run_are_ranked_per_link(pqbed: Pqbed) -> None:
    assert pqbed("sweep", *SWEEP).code == 0
    shown = pqbed("remedies", "latest")
    assert shown.code == 0
    assert shown.out.count("profile web-p50-pq") == 2
    by_size = [line for line in shown.out.splitlines() if "  by size  " in line]
    assert len(by_size) == 2 * 5
    assert "wpt-3g, 10KiB: " in shown.out


def test_remedies_for_programs_are_sorted(pqbed: Pqbed) -> None:
    assert pqbed("sweep", *SWEEP).code == 0
    links: list[dict[str, Any]] = json.loads(pqbed("remedies", "latest", "--json").out)["links"]
    assert [link["helped"]["link_name"] for link in links] == ["wpt-3g", "wpt-lte"]
    for link in links:
        times = [one["p50_ns"] for one in link["remedies"]]
        assert times == sorted(times)
        assert len(times) == 9 + 2 + 1
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
