import contextlib
import json
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pqbed.agent.fetch_trace import Traced, TracedFetch
from pqbed.beds.fake_bed import FakeLane
from pqbed.spec.cell import Cell
from pqbed.spec.sample import Fetch, Timings
from pqbed_cli.exits import HOST_UNFIT, SOME_FAILED, USAGE
from support.command_line import Pqbed
from support.traces import STORED, stored_trace

CELL = ("--bed", "fake", "--rtt", "200", "--loss", "20", "--size", "4", "--profile", "pq")


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], list[Timings]]:
    """Let the fake bed give out the stored trace, and be told what it was asked to fetch."""
    asked = []
    timings = [stored_trace().timings]

    def trace(_lane: FakeLane, cell: Cell, fetch: Fetch) -> Traced:
        asked.append((cell, fetch))
        captures = {f"{side}_pcap": (STORED / f"{side}.pcap").read_bytes() for side in ("client", "server")}
        return Traced(fetch=TracedFetch(timings=timings[0], ended_ns=2**62), keys="SECRET\n", **captures)

    monkeypatch.setattr(FakeLane, "trace", trace)
    return asked, timings


def folder() -> Path:
    (found,) = Path("results").iterdir()
    return found


@pytest.mark.usefixtures("traced")
def test_a_trace_is_a_folder_of_its_own(pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    ended = pqbed("trace", *CELL, "--name", "mine", "--seed", "3", "--open")
    assert ended.code == 0
    path = folder()
    assert opened == [(path / "trace.html").resolve().as_uri()]
    assert path.name.endswith("-mine")
    pictures = {
        f"{stem}{mode}.{kind}"
        for stem in ("flow", "time-sequence")
        for mode in ("", "-dark")
        for kind in ("svg", "png")
    }
    records = {"client.pcap", "server.pcap", "keys.log", "trace.json", "trace.html", "sweep.toml"}
    assert {file.name for file in path.iterdir()} == pictures | records
    assert (path / "keys.log").read_text() == "SECRET\n"
    assert "took 3,588.9 ms" in ended.out
    assert f"wireshark -d tcp.port==4433,tls -o tls.keylog_file:{path}/keys.log {path}/client.pcap" in ended.out
    for file in path.iterdir():
        if file.name != "keys.log":
            assert b"SECRET" not in file.read_bytes()
    assert "SECRET" not in ended.out + ended.err


@pytest.mark.usefixtures("traced")
def test_json_tells_what_trace_json_tells_and_the_folder(pqbed: Pqbed) -> None:
    told = json.loads(pqbed("trace", *CELL, "--json").out)
    assert told.pop("folder") == str(folder())
    assert told == json.loads((folder() / "trace.json").read_text())
    assert [flight["name"] for flight in told["flights"]][-1] == "response"
    assert {way: told[way]["lost"] for way in ("up", "down")} == {"up": 7, "down": 4}


def test_the_folder_says_how_to_trace_it_again(pqbed: Pqbed, traced: tuple[list[Any], list[Timings]]) -> None:
    assert pqbed("trace", *CELL, "--repetition", "7").code == 0
    again = json.loads((folder() / "trace.json").read_text())["run_again"]
    assert again == "pqbed trace --spec sweep.toml --repetition 7"
    with contextlib.chdir(folder()):
        assert pqbed(*again.split()[1:]).code == 0
    asked, _ = traced
    assert asked[0] == asked[1]
    assert asked[0][1].repetition == 7


def test_a_trace_fetches_what_a_sweep_would(pqbed: Pqbed, traced: tuple[list[Any], list[Timings]]) -> None:
    assert pqbed("trace", *CELL, "--seed", "9", "--repetition", "1").code == 0
    assert pqbed("sweep", *CELL, "--seed", "9", "--samples", "2", "--no-aa", "--out", "runs").code == 0
    (run,) = Path("runs").iterdir()
    ((_, fetch),) = traced[0]
    rows = json.loads(pqbed("export", str(run), "--json").out)
    assert (fetch.cell_id, fetch.seed) in {(row["cell_id"], row["seed"]) for row in rows if row["repetition"] == 1}


def test_a_failed_fetch_is_drawn_and_told_by_the_exit_code(
    pqbed: Pqbed, traced: tuple[list[Any], list[Timings]]
) -> None:
    _, timings = traced
    timings[0] = replace(timings[0], outcome="timeout", detail="late", last_byte_ns=None)
    ended = pqbed("trace", *CELL)
    assert ended.code == SOME_FAILED
    assert "failed: timeout: late" in ended.out
    assert (folder() / "flow.svg").exists()


def test_a_bed_without_packets_says_so_and_leaves_nothing(pqbed: Pqbed) -> None:
    ended = pqbed("trace", "--bed", "fake")
    assert ended.code == HOST_UNFIT
    assert "sends no packets" in ended.err
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--rtt", "35,200"), "--rtt has 2 values"),
        (("--profile", "pq,classical"), "--profile has 2 values"),
        (("--preset", "demo"), "a trace is one fetch of one cell"),
        (("--repetition", "-1"), "repetition"),
        (("--size", "x"), "'x'"),
    ],
)
def test_what_is_no_single_cell_is_refused(pqbed: Pqbed, options: tuple[str, ...], words: str) -> None:
    ended = pqbed("trace", "--bed", "fake", *options)
    assert ended.code == USAGE
    assert words in ended.err
