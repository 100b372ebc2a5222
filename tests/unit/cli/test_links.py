import json
import tomllib
from pathlib import Path

from pqbed.spec.link_presets import builtin_links
from support.command_line import Pqbed, only_run

LINKED = ("--bed", "fake", "--link", "wpt-dsl,geo", "--size", "0", "--samples", "2", "--no-aa")
FILE = """
link = ["home"]
[links.home]
rtt = "20ms"
bandwidth = "3mbit"
"""


def test_links_are_listed_with_their_sources(pqbed: Pqbed) -> None:
    listed = pqbed("links")
    assert listed.code == 0
    for name, link in builtin_links().items():
        (line,) = [line for line in listed.out.splitlines() if line.startswith(f"{name} ")]
        assert link.source in line
        assert link.latency in line


def test_links_for_programs(pqbed: Pqbed) -> None:
    rows = {row["name"]: row for row in json.loads(pqbed("links", "--json").out)}
    assert list(rows) == list(builtin_links())
    assert rows["wpt-dsl"] == {
        "name": "wpt-dsl",
        "rtt_ns": 50_000_000,
        "bandwidth_bps": 1_500_000,
        "bandwidth_up_bps": 384_000,
        "source": "WebPageTest, connectivity.ini.sample",
        "latency": "RTT",
        "reading": "",
    }
    assert rows["interop-default"]["queue"] == 25
    assert rows["geo"]["bandwidth_bps"] is None
    assert rows["apple-very-bad"]["loss_ppm"] == 100_000


def test_a_plan_lists_links_with_their_values(pqbed: Pqbed) -> None:
    lines = pqbed("plan", *LINKED, "--loss", "0,1").out.splitlines()
    place = lines.index("link          2  wpt-dsl, geo")
    assert lines[place + 1 : place + 4] == [
        "  wpt-dsl        rtt 50ms, bandwidth 1.5mbit, bandwidth up 384kbit",
        "  geo            rtt 596386us, bandwidth unlimited",
        "loss          2  0%, 1%",
    ]
    assert not [line for line in lines if line.startswith(("rtt", "bandwidth"))]


def test_a_sweep_over_links_is_shown_and_explained_by_their_names(pqbed: Pqbed, tmp_path: Path) -> None:
    ended = pqbed("sweep", *LINKED, "--loss", "0,1")
    assert ended.code == 0
    assert [line for line in ended.out.splitlines() if line.startswith("link ")] == [
        *(f"link {name}, loss {loss}" for name in ("wpt-dsl", "geo") for loss in ("0%", "1%")),
    ]
    cells = json.loads(pqbed("export", str(only_run(tmp_path)), "--json", "--table", "cells").out)
    assert {row["link_name"] for row in cells} == {"wpt-dsl", "geo"}
    explained = json.loads(pqbed("explain", "latest", "--link", "geo", "--loss", "1", "--json").out)
    assert {cell["cell"]["link"]["name"] for cell in explained["cells"]} == {"geo"}
    assert len(explained["cells"]) == 2
    assert pqbed("explain", "latest", "--link", "wpt-3g").code == 2


def test_a_link_that_a_file_defines(pqbed: Pqbed, tmp_path: Path) -> None:
    (tmp_path / "home.toml").write_text(FILE)
    assert pqbed("sweep", "--spec", "home.toml", *LINKED[:2], *LINKED[4:]).code == 0
    written = tomllib.loads((only_run(tmp_path) / "sweep.toml").read_text())
    assert (written["link"], written["links"]) == (["home"], {"home": {"rtt": "20ms", "bandwidth": "3mbit"}})
    assert "rtt" not in written


def test_a_bed_takes_a_link_by_its_name(pqbed: Pqbed) -> None:
    assert pqbed("up", "--bed", "fake", "--link", "wpt-dsl", "--loss", "1").code == 0
    status = pqbed("status").out
    for line in (
        "link                wpt-dsl\n",
        "bandwidth           1.5mbit (up 384kbit)\n",
        "loss                1%\n",
    ):
        assert line in status
    assert pqbed("link", "set", "--link", "geo").code == 0
    link = json.loads(pqbed("status", "--json").out)["link"]
    assert (link["name"], link["bandwidth_up_bps"], link["loss"]["probability_ppm"]) == ("geo", None, 0)
    assert pqbed("link", "set", "--rtt", "20").code == 0
    assert json.loads(pqbed("status", "--json").out)["link"]["name"] is None
    refused = pqbed("link", "set", "--link", "wpt-dsl,geo")
    assert (refused.code, "--link takes one value" in refused.err) == (2, True)
