import json
import re
from pathlib import Path

import pytest

from pqbed_cli.exits import SOME_FAILED, USAGE
from support.command_line import Pqbed

HOST_UNFIT = 3


@pytest.fixture
def run(pqbed: Pqbed) -> Path:
    """A small run of the fake bed."""
    ended = pqbed(
        "sweep",
        "--bed",
        "fake",
        "--rtt",
        "35",
        "--bandwidth",
        "1",
        "--loss",
        "0,1",
        "--size",
        "0,200",
        "--samples",
        "7",
    )
    assert ended.code == 0
    (path,) = Path("results").iterdir()
    return path


def test_it_explains_one_cell_in_words(pqbed: Pqbed, run: Path) -> None:
    ended = pqbed("explain", str(run), "--profile", "pq", "--loss", "0", "--size", "200")
    assert ended.code == 0
    head, told, account, measured, *flights, phases = ended.out.partition("\n\n")[2].splitlines()
    assert head.startswith("pq 200KiB  [")
    assert "expected 1976.2" in told
    reason = "the rate, not the window, holds back a server flight of 12"
    assert account == f"  +124 ms: 15.5 KB more at 1 Mbit/s; no extra round trip: {reason}"
    assert measured.startswith("  measured against classical: ")
    assert len(flights) == 4
    assert phases.startswith("  phases at p50: connect 36.18 ms, TLS ")


def test_a_cell_is_named_by_its_id(pqbed: Pqbed, run: Path) -> None:
    cells = json.loads(pqbed("explain", "latest", "--json").out)["cells"]
    assert len(cells) == 8
    identity = cells[-1]["cell_id"]
    (one,) = json.loads(pqbed("explain", str(run), identity[:6], "--json").out)["cells"]
    assert one["cell_id"] == identity
    assert one["account"]["text"].startswith("+124 ms: ")
    assert one["below_floor"] == []


def test_lossy_cells_say_what_loss_did(pqbed: Pqbed, run: Path) -> None:
    ended = pqbed("explain", str(run), "--loss", "1", "--size", "0", "--profile", "classical")
    assert "expected without loss" in ended.out
    assert "  what loss costs: +" in ended.out
    assert "    0 of 7 connects took a second or more longer\n" in ended.out
    assert "    neither of these: 7; given up at the time limit: 0\n" in ended.out


def test_another_baseline(pqbed: Pqbed, run: Path) -> None:
    ended = pqbed("explain", str(run), "--baseline", "pq", "--profile", "classical", "--size", "0", "--loss", "0")
    assert re.search(r"^  -12\d ms: 15\.\d KB less at 1 Mbit/s; no extra round trip", ended.out, re.MULTILINE)


def test_cells_of_unknown_sizes_are_left_out_and_named(
    pqbed: Pqbed, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_sizes(monkeypatch, "pq")
    ended = pqbed("explain", str(run))
    assert ended.code == 0
    assert "classical 200KiB" in ended.out
    assert ended.out.splitlines()[-1].startswith("left out: 4 cells of pq: the sizes of profile pq on the wire are not")
    explained = json.loads(pqbed("explain", str(run), "--json").out)
    assert {cell["profile"] for cell in explained["cells"]} == {"classical"}
    assert {cell["profile"] for cell in explained["left_out"]} == {"pq"}
    ended = pqbed("explain", str(run), "--profile", "pq")
    assert ended.code == USAGE
    assert "did not learn them" in ended.err


def test_a_baseline_of_unknown_size_leaves_the_measured_difference(
    pqbed: Pqbed, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_sizes(monkeypatch, "pq")
    ended = pqbed("explain", str(run), "--baseline", "pq", "--profile", "classical", "--size", "0", "--loss", "0")
    assert ended.code == 0
    assert "  measured against pq: -" in ended.out
    assert "KB less" not in ended.out


def forget_sizes(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let no table have the algorithms of a profile; on the fake bed nothing is learned."""
    for module in ("tls_exchange", "floor_and_expectation"):
        monkeypatch.setattr(f"pqbed.model.{module}.has_known_sizes", lambda profile: profile.name != name)


def test_a_sample_below_the_floor_ends_with_four(pqbed: Pqbed, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pqbed.model.floor_and_expectation.SLACK_BYTES", -100_000)
    ended = pqbed("explain", str(run), "--profile", "pq", "--loss", "0", "--size", "0")
    assert ended.code == SOME_FAILED
    assert re.search(
        r"^error: 7 samples of cell \w+ \(pq\) lie below the floor: the last byte of ", ended.out, re.MULTILINE
    )


@pytest.mark.parametrize("arguments", [("--size", "7"), ("nocell",), ("--rtt", "x"), ("--baseline", "x")])
def test_what_means_no_cell_is_refused(pqbed: Pqbed, run: Path, arguments: tuple[str, ...]) -> None:
    assert run.is_dir()
    ended = pqbed("explain", "latest", *arguments)
    assert ended.code == USAGE
    assert "hint: " in ended.err


def test_a_run_without_cells_cannot_be_explained(pqbed: Pqbed, run: Path) -> None:
    (run / "cells.parquet").unlink()
    ended = pqbed("explain", str(run))
    assert ended.code == HOST_UNFIT
    assert "cells.parquet is missing" in ended.err
