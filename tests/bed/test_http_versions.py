"""HTTP/1.1, 2 and 3 in virtual time: round trips of each, QUIC's limit before the client's address is validated."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.store.run_directory import open_run
from support.units import MS

pytestmark = pytest.mark.uml

# Each turn of a program takes some microseconds, and a QUIC handshake has more of them.
CLOCK_NS = 100_000
# Of a fetch of 0 and of 50 KiB without a rate, with an initial window of 10 segments over TCP. nginx sends up to 131 kB
# over QUIC before anything is acknowledged, so a response of 50 KiB takes no round trip more.
ROUND_TRIPS = {
    ("classical", "1.1"): (3, 5),
    ("classical", "2"): (3, 5),
    ("classical", "3"): (2, 2),
    ("hybrid", "1.1"): (3, 5),
    ("hybrid", "2"): (3, 5),
    ("hybrid", "3"): (2, 2),
    ("pq", "1.1"): (4, 5),
    ("pq", "2"): (4, 5),
    ("pq", "3"): (3, 3),
}
INITIALS = {"classical": 1, "hybrid": 2, "pq": 2}
# RFC 9000, 8.1 and 14.1.
INITIAL_BYTES, AMPLIFICATION = 1200, 3


def sweep(folder: Path, *arguments: str) -> pl.DataFrame:
    command = [sys.executable, "-m", "pqbed_cli", "sweep", "--bed", "uml", "--no-aa", "--calibrate", "off", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    with open_run(next((folder / "results").iterdir())) as run:
        return run.samples().collect().join(run.cells().collect(), on="cell_id")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    grid = ("--rtt", "35,200", "--bandwidth", "none", "--size", "0,50", "--http", "1.1,2,3")
    folder = tmp_path_factory.mktemp("http")
    return sweep(folder, *grid, "--profile", "classical,hybrid,pq", "--samples", "2")


def test_every_response_came_by_the_version_asked(rows: pl.DataFrame) -> None:
    assert rows["outcome"].unique().to_list() == ["ok"], rows["detail"].unique()


def test_each_version_takes_its_round_trips(rows: pl.DataFrame) -> None:
    for (profile, http), trips in ROUND_TRIPS.items():
        for size_bytes, number in zip((0, 50 * 1024), trips, strict=True):
            for row in rows.filter(profile=profile, http=http, size_bytes=size_bytes).to_dicts():
                assert 0 <= row["last_byte_ns"] - number * row["rtt_ns"] <= CLOCK_NS, row


def test_the_limit_before_validation_costs_a_post_quantum_chain_one_round_trip(rows: pl.DataFrame) -> None:
    quic = rows.filter(http="3")
    assert quic.height == 24
    for row in quic.to_dicts():
        limit = AMPLIFICATION * INITIALS[row["profile"]] * INITIAL_BYTES
        assert row["quic_initials"] == INITIALS[row["profile"]]
        if row["profile"] == "pq":
            assert (row["quic_unvalidated_bytes"], row["quic_blocked_ns"]) == (limit, row["rtt_ns"])
        else:
            assert row["quic_unvalidated_bytes"] <= limit
            assert row["quic_blocked_ns"] == 0
        assert row["quic_rtt_ns"] == row["rtt_ns"]


def test_what_is_of_tcp_is_not_said_of_quic(rows: pl.DataFrame) -> None:
    quic, tcp = rows.filter(http="3"), rows.filter(pl.col("http") != "3")
    for column in ("tcp_connect_ns", "retransmits", "tcp_rtt_ns", "cwnd"):
        assert quic[column].null_count() == quic.height
        assert tcp[column].null_count() == 0
    for column in ("quic_initials", "quic_lost", "quic_cwnd_bytes"):
        assert tcp[column].null_count() == tcp.height


def test_no_sample_lies_below_its_floor(rows: pl.DataFrame) -> None:
    assert rows["floor_ns"].null_count() == 0
    assert rows.filter(pl.col("last_byte_ns") < pl.col("floor_ns")).is_empty()
    assert rows.filter((pl.col("http") == "3") & (pl.col("floor_ns") < 2 * pl.col("rtt_ns"))).is_empty()


def test_a_connection_over_quic_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    """At 100 kbit/s a packet of another connection would hold up the next hello by more than 10 ms."""
    grid = ("--rtt", "35", "--bandwidth", "0.1", "--size", "0,20", "--http", "3", "--profile", "pq", "--samples", "6")
    mixed = sweep(tmp_path, *grid, "--lanes", "1")
    assert mixed["outcome"].unique().to_list() == ["ok"]
    for size_bytes in (0, 20 * 1024):
        times = mixed.filter(size_bytes=size_bytes)["last_byte_ns"]
        assert max(times) - min(times) <= MS
