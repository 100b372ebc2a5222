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
