"""TCP Fast Open in virtual time: which hellos fit into a SYN, and the round trip that those save."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.store.run_directory import open_run
from support.units import MS

pytestmark = pytest.mark.uml

RTT_NS, CLOCK_NS = 100 * MS, 100_000
# Round trips without and with it, at an MTU of 1500: a SYN has room for 1,500 - 20 - 20 bytes less 40 for options, and
# the hello with X25519MLKEM768 has 1,428. Early data of a classical hello goes along.
ROUND_TRIPS = {
    ("classical", "full"): (3, 2),
    ("classical", "resumed"): (3, 2),
    ("classical", "early"): (2, 1),
    ("hybrid", "full"): (3, 3),
    ("hybrid", "resumed"): (3, 3),
    ("hybrid", "early"): (2, 2),
    ("pq", "full"): (4, 4),
}
ROOM_BYTES = 1_420


def sweep(folder: Path, *arguments: str) -> pl.DataFrame:
    fixed = ["--rtt", "100", "--bandwidth", "none", "--size", "0", "--no-aa", "--samples", "2", "--calibrate", "off"]
    command = [sys.executable, "-m", "pqbed_cli", "sweep", *fixed, "--bed", "uml", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    with open_run(next((folder / "results").iterdir())) as run:
        return run.samples().join(run.cells(), on="cell_id").collect()


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    kinds = ("--connection", "full,resumed,early", "--profile", "classical,hybrid,pq", "--fast-open", "off,on")
    return sweep(tmp_path_factory.mktemp("fast-open"), *kinds)


def test_the_kernel_said_of_every_fetch_that_the_syn_carried_data(rows: pl.DataFrame) -> None:
    assert set(rows["outcome"]) == {"ok"}, rows["detail"].unique()


def test_a_hello_that_fits_saves_a_round_trip_and_no_other_does(rows: pl.DataFrame) -> None:
    for (profile, kind), trips in ROUND_TRIPS.items():
        for on, number in zip((False, True), trips, strict=True):
            cell = rows.filter(profile=profile, connection=kind, fast_open=on)
            for last_byte_ns in cell["last_byte_ns"]:
                assert 0 <= last_byte_ns - number * RTT_NS <= CLOCK_NS, (profile, kind, on, last_byte_ns)
        hello = rows.filter(profile=profile, connection=kind)["client_hello_bytes"][0]
        assert (trips[1] < trips[0]) == (hello <= ROOM_BYTES)


def test_no_sample_lies_below_its_floor(rows: pl.DataFrame) -> None:
    assert rows.filter(pl.col("last_byte_ns") < pl.col("floor_ns")).is_empty()
    assert rows.filter("fast_open")["expected_ns"].null_count() == rows.filter("fast_open").height


def test_a_larger_mtu_lets_the_hybrid_hello_into_the_syn(tmp_path: Path) -> None:
    large = sweep(tmp_path, "--profile", "hybrid", "--fast-open", "off,on", "--mtu", "9000")
    times = {row["fast_open"]: row["last_byte_ns"] for row in large.to_dicts()}
    assert abs(times[False] - times[True] - RTT_NS) <= CLOCK_NS


def test_a_lost_syn_is_sent_again_without_data_and_is_no_wrong_connection(tmp_path: Path) -> None:
    lossy = sweep(tmp_path, "--profile", "classical", "--fast-open", "on", "--drop", "up:1")
    assert set(lossy["outcome"]) == {"ok"}
    assert lossy["last_byte_ns"].min() > 1_000 * MS


def test_a_client_that_cannot_is_unsupported(tmp_path: Path) -> None:
    other = sweep(tmp_path, "--profile", "hybrid", "--client-stack", "chrome", "--fast-open", "on")
    assert set(other["outcome"]) == {"unsupported"}
    assert "TCP Fast Open" in other["detail"][0]
