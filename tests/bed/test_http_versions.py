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


PADDED = """
name = "limit"
profile = [{names}]
{profiles}
"""


def test_the_limit_is_three_times_what_the_client_sent_to_the_byte(tmp_path: Path) -> None:
    """The largest Certificate message whose flight fits, and one byte more: with one Initial and with two."""
    largest = {"X25519": 2751, "X25519MLKEM768": 4979}
    profiles, names = [], []
    for group, fits in largest.items():
        for wire_bytes in (fits, fits + 1):
            names.append(f"{group}-{wire_bytes}")
            chain = f'{{ algorithm = "rsa2048", depth = 2, wire_bytes = {wire_bytes} }}'
            profiles.append(f'[profiles.{names[-1]}]\ngroup = "{group}"\nchain = {chain}')
    text = PADDED.format(names=", ".join(f'"{name}"' for name in names), profiles="\n".join(profiles))
    (tmp_path / "limit.toml").write_text(text)
    grid = ("--rtt", "100", "--bandwidth", "none", "--size", "0", "--http", "3", "--samples", "1")
    rows = {row["profile"]: row for row in sweep(tmp_path, "--spec", "limit.toml", *grid).to_dicts()}
    for group, fits in largest.items():
        within, beyond = rows[f"{group}-{fits}"], rows[f"{group}-{fits + 1}"]
        limit = AMPLIFICATION * INITIAL_BYTES * (2 if group == "X25519MLKEM768" else 1)
        assert within["quic_unvalidated_bytes"] == beyond["quic_unvalidated_bytes"] == limit
        assert (within["quic_blocked_ns"], beyond["quic_blocked_ns"]) == (0, 100 * MS)
        assert 0 <= within["tls_done_ns"] - 100 * MS <= CLOCK_NS
        assert 0 <= beyond["tls_done_ns"] - 200 * MS <= CLOCK_NS


def test_a_hybrid_hello_pays_for_the_median_chain_of_the_web(tmp_path: Path) -> None:
    chain = '{ algorithm = "rsa2048", depth = 2, wire_bytes = 3754 }'
    groups = {"one": "X25519", "two": "X25519MLKEM768"}
    profiles = "\n".join(f'[profiles.{name}]\ngroup = "{group}"\nchain = {chain}' for name, group in groups.items())
    (tmp_path / "web.toml").write_text(PADDED.format(names='"one", "two"', profiles=profiles))
    grid = ("--rtt", "100", "--bandwidth", "none", "--size", "0", "--http", "3", "--samples", "1")
    rows = {row["profile"]: row for row in sweep(tmp_path, "--spec", "web.toml", *grid).to_dicts()}
    assert abs(rows["one"]["last_byte_ns"] - rows["two"]["last_byte_ns"] - 100 * MS) <= CLOCK_NS
