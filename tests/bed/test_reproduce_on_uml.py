"""The published study with few samples: what is lossless is exact in virtual time, whatever the host does meanwhile."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pqbed.store.run_directory import open_run

pytestmark = pytest.mark.uml

SAMPLES = 2


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("reproduce")
    command = [sys.executable, "-m", "pqbed_cli", "reproduce", "madweb2024", "--bed", "uml", "--json"]
    command += ["--samples", str(SAMPLES), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    found["by_name"] = {one["claim"]["name"]: one for one in found["verdicts"]}
    return found


def network(told: dict[str, Any], name: str) -> float:
    value: float = told["by_name"][name]["network"]["value"]
    return value


@pytest.mark.parametrize("percentile", [50, 75, 90])
def test_classical_times_without_loss_are_those_printed(told: dict[str, Any], percentile: int) -> None:
    assert network(told, f"text, classical, 0 %, p{percentile}") == pytest.approx(2354.2, abs=0.3)
    assert told["by_name"][f"text, classical, 0 %, p{percentile}"]["standing"] == "inside"


@pytest.mark.parametrize("percentile", [50, 75, 90])
def test_the_increase_falls_from_a_third_to_a_seventeenth(told: dict[str, Any], percentile: int) -> None:
    assert network(told, f"figure 3, 0 KiB, p{percentile}") == pytest.approx(30.6, abs=0.1)
    assert network(told, f"figure 3, 200 KiB, p{percentile}") == pytest.approx(5.6, abs=0.1)


def test_the_other_numbers_without_loss(told: dict[str, Any]) -> None:
    assert network(told, "abstract, slow, 50 KiB") == pytest.approx(12.4, abs=0.1)
    assert network(told, "abstract, congestion") == pytest.approx(5.4, abs=0.1)
    assert network(told, "figure 6, 1 Mbit/s, 0 %") == pytest.approx(1991.6, abs=0.3)
    assert network(told, "figure 2, 0 KiB, p50") == pytest.approx(0.2, abs=0.05)


def test_a_larger_handshake_opens_the_window_on_a_fast_link(told: dict[str, Any]) -> None:
    # One round trip of 35 ms less of six: a step that is reported, not smoothed.
    assert network(told, "figure 2, 200 KiB, p50") == pytest.approx(-16.3, abs=0.1)


def test_chains_are_as_large_as_in_the_study(told: dict[str, Any]) -> None:
    for name, size_kb in (("classical", 2.5), ("8 KB", 8), ("16 KB", 16)):
        assert network(told, f"chain, {name}") == pytest.approx(size_kb, rel=0.01)


def test_cpu_is_kept_apart_from_the_samples(told: dict[str, Any]) -> None:
    with open_run(Path(told["run"])) as run:
        assert set(run.samples().collect()["clock"]) == {"virtual"}
        cpu = run.cpu().collect()
    row = told["by_name"]["text, classical, 0 %, p50"]
    if cpu.is_empty():  # not root: nothing native can be measured, and nothing is added
        assert row["ours"] == row["network"]
        return
    assert set(cpu["bed"]) == {"netns"}
    assert row["ours"]["value"] == pytest.approx(row["network"]["value"] + row["cpu_ms"])
    assert 0 < row["cpu_ms"] < 100


def test_all_six_figures_are_drawn(told: dict[str, Any]) -> None:
    figures = Path(told["run"]) / "figures"
    assert {path.name for path in figures.glob("figure-?.svg")} == {f"figure-{number}.svg" for number in range(1, 7)}
