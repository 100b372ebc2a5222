"""`pqbed explain` on runs of a guest in virtual time: both sides of every step, and what a lost SYN costs."""

import json
import subprocess
import sys
from typing import Any

import polars as pl
import pytest

from pqbed.store.run_directory import open_run
from support.units import MS, S

pytestmark = pytest.mark.uml

RTT = 200 * MS
# While a round trip is waited for, some of the bytes that it is paid for are sent.
OVERLAP = 0.03
# The timer wheel keeps a time-out of a second in steps of 64 jiffies (docs/design/dd-007).
LATE_NS = 64 * MS
# Certificate messages that make a server flight of so many segments.
FLIGHTS = {10: 12_500, 11: 12_700, 20: 26_400, 21: 26_600, 47: 63_500, 48: 63_800}
STEPS = """
name = "steps"
aa = false
samples = 1
rtt = ["200ms"]
bandwidth = ["100mbit"]
loss = ["0%"]
initcwnd = [10, 20, 60]
size = ["0KiB", "13KiB", "15KiB", "26KiB", "29KiB"]
profile = [{profiles}]
"""
PROFILE = """
[profiles.{name}]
group = "X25519"
chain = {{ algorithm = "rsa2048"{padded} }}
"""

Cells = dict[tuple[str, int, int], dict[str, Any]]


def pqbed(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pqbed_cli", *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Cells:
    """Return the cells as `explain --json` tells them, by profile, initcwnd and size in KiB."""
    folder = tmp_path_factory.mktemp("steps")
    padded = {"base": "", **{f"of{segments}": f", wire_bytes = {size}" for segments, size in FLIGHTS.items()}}
    profiles = "".join(PROFILE.format(name=name, padded=text) for name, text in padded.items())
    steps = STEPS.format(profiles=", ".join(f'"{name}"' for name in padded))
    (folder / "steps.toml").write_text(steps + profiles)
    pqbed("sweep", "--spec", str(folder / "steps.toml"), "--bed", "uml", "--out", str(folder))
    told = json.loads(pqbed("explain", "latest", "--json", "--out", str(folder)))["cells"]
    return {
        (one["profile"], one["cell"]["tcp"]["initcwnd_server"], one["cell"]["workload"]["size_bytes"] // 1024): one
        for one in told
    }


def test_every_difference_is_the_one_that_was_measured(steps: Cells) -> None:
    assert len(steps) == 7 * 3 * 5
    off = {}
    for where, one in steps.items():
        assert one["p50_ns"] == pytest.approx(one["expected"]["last_byte_ns"], rel=5e-3), where
        if one["account"] is not None:
            off[where] = one["p50_ns"] - one["baseline_p50_ns"] - one["account"]["difference_ns"]
    assert len(off) == 6 * 3 * 5
    assert {where: value for where, value in off.items() if abs(value) > 0.01 * RTT} == {}


@pytest.mark.parametrize(("initcwnd", "below"), [(10, 10), (20, 20)])
def test_a_flight_of_one_segment_more_than_initcwnd_costs_a_round_trip(steps: Cells, initcwnd: int, below: int) -> None:
    within, above = (steps[f"of{below + more}", initcwnd, 0] for more in (0, 1))
    assert f"no extra round trip: server flight {below} of {initcwnd} segments" in within["account"]["text"]
    assert f"+1 RTT: server flight {below + 1} segments > initcwnd {initcwnd}" in above["account"]["text"]
    assert above["p50_ns"] - within["p50_ns"] == pytest.approx(RTT, rel=OVERLAP)
    # The two lines that the words come with: what is expected of each phase is what it took.
    assert max(abs(phase["extra_rtts"]) for one in (within, above) for phase in one["phases"]) < 0.01


def test_the_receive_window_bounds_a_flight(steps: Cells) -> None:
    within, above = steps["of47", 60, 0], steps["of48", 60, 0]
    assert "no extra round trip: server flight 47 of 60 segments" in within["account"]["text"]
    assert "+1 RTT: server flight 48 segments, more than the receive window holds" in above["account"]["text"]
    assert above["p50_ns"] - within["p50_ns"] == pytest.approx(RTT, rel=OVERLAP)


@pytest.mark.parametrize(("initcwnd", "below", "above"), [(10, 13, 15), (20, 26, 29)])
def test_a_response_larger_than_the_window_costs_a_round_trip(
    steps: Cells, initcwnd: int, below: int, above: int
) -> None:
    ours = [steps["base", initcwnd, size] for size in (below, above)]
    assert [one["expected"]["response"]["rounds"] for one in ours] == [1, 2]
    assert ours[1]["p50_ns"] - ours[0]["p50_ns"] == pytest.approx(RTT, rel=OVERLAP)
    # A handshake of a whole window has opened it to twice as much, and so saves that round trip again.
    larger = steps[f"of{initcwnd}", initcwnd, above]
    words = f"-1 RTT: the larger handshake had opened the window to {2 * initcwnd} segments (baseline: {initcwnd})"
    assert words in larger["account"]["text"]
    assert larger["p50_ns"] - ours[1]["p50_ns"] == pytest.approx(-RTT, rel=OVERLAP)


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, str, dict[str, Any]]:
    """Return the samples of a lossy cell, and what `explain` says of it as text and as JSON."""
    out = tmp_path_factory.mktemp("lossy")
    link = (
        "--rtt",
        "200",
        "--bandwidth",
        "100mbit",
        "--loss",
        "20",
        "--size",
        "0",
        "--profile",
        "classical",
        "--no-aa",
    )
    pqbed("sweep", "--bed", "uml", *link, "--samples", "60", "--seed", "7", "--out", str(out))
    text = pqbed("explain", "latest", "--out", str(out))
    (told,) = json.loads(pqbed("explain", "latest", "--json", "--out", str(out)))["cells"]
    with open_run(next(out.iterdir())) as run:
        return run.samples().collect(), text, told


def test_a_lost_syn_costs_a_second_and_a_second_one_another(lossy: tuple[pl.DataFrame, str, dict[str, Any]]) -> None:
    samples, text, told = lossy
    waited = (samples["tcp_connect_ns"].drop_nulls() - RTT).to_list()
    # Linux 7.3 waits a second for each of the first five SYNs.
    lost = [value // S for value in waited]
    assert all(0 <= value - count * S <= count * LATE_NS + MS for value, count in zip(waited, lost, strict=True))
    counts = [(number, lost.count(number)) for number in sorted(set(lost) - {0})]
    assert counts[0][1] >= 10
    assert counts[1][0] == 2
    assert [tuple(pair) for pair in told["losses"]["lost_syns"]] == counts
    late = sum(count for _, count in counts)
    assert f"    {late} of {len(waited)} connects took a second or more longer: {counts[0][1]} lost 1 SYN, " in text


def test_what_loss_costs_is_told_at_both_percentiles(lossy: tuple[pl.DataFrame, str, dict[str, Any]]) -> None:
    samples, text, told = lossy
    losses, expected_ns = told["losses"], told["expected"]["last_byte_ns"]
    ordered = samples["last_byte_ns"].sort().to_list()
    assert losses["cost_p50_ns"] == (ordered[29] + ordered[30]) / 2 - expected_ns
    assert 0 < losses["cost_p50_ns"] < losses["cost_p90_ns"]
    assert "  what loss costs: +" in text
    quick = samples.filter(pl.col("last_byte_ns") < expected_ns + RTT + 200 * MS).height
    assert losses["untouched"] >= quick > 0
    assert losses["hello_again"] > 0
    assert losses["stalls"]["tls"] >= losses["hello_again"]
