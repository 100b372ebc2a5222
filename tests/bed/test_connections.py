"""Kinds of connections in virtual time: the round trips of each, and bytes as they were learned from the wire."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.store.run_directory import open_run
from support.units import MS

pytestmark = pytest.mark.uml

RTT_NS = 100 * MS
# Reading a clock and a program's turn take some microseconds each.
CLOCK_NS = 100_000
KINDS = ("full", "resumed", "early", "reused", "reused:5s")
# Of a fetch of 0 and of 20 KiB, by profile, at a window of 10 segments and without a rate: the server's flight of
# `pq` takes two windows, and a kept connection starts again from the first window after it was idle (RFC 2861).
ROUND_TRIPS = {
    ("classical", "full"): (3, 4),
    ("classical", "resumed"): (3, 4),
    ("classical", "early"): (2, 3),
    ("classical", "reused"): (1, 1),
    ("classical", "reused:5s"): (1, 2),
    ("pq", "full"): (4, 4),
    ("pq", "resumed"): (3, 4),
    ("pq", "early"): (2, 3),
    ("pq", "reused"): (1, 1),
    ("pq", "reused:5s"): (1, 2),
}


def pqbed(folder: Path, *arguments: str) -> bytes:
    command = [sys.executable, "-m", "pqbed_cli", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300).stdout


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Two fetches of each cell, without a rate and at 10 Mbit/s, with what the model expects."""
    folder = tmp_path_factory.mktemp("connections")
    grid = ["--rtt", "100", "--bandwidth", "none,10", "--size", "0,20,200", "--connection", ",".join(KINDS)]
    more = ["--profile", "classical,pq,pq-mutual", "--no-aa", "--samples", "2", "--calibrate", "off", "--bed", "uml"]
    pqbed(folder, "sweep", *grid, *more)
    with open_run(next((folder / "results").iterdir())) as run:
        samples = run.samples().collect().select("cell_id", "outcome", "detail", "last_byte_ns", "tls_done_ns")
        return samples.join(run.cells().collect(), on="cell_id")


def test_every_connection_was_what_was_asked(rows: pl.DataFrame) -> None:
    assert rows["outcome"].unique().to_list() == ["ok"], rows["detail"].unique()


def test_each_kind_takes_its_round_trips(rows: pl.DataFrame) -> None:
    free = rows.filter(pl.col("bandwidth_bps").is_null())
    for (profile, kind), trips in ROUND_TRIPS.items():
        for size_bytes, number in zip((0, 20 * 1024), trips, strict=True):
            cell = free.filter(profile=profile, connection=kind, size_bytes=size_bytes)
            assert cell["last_byte_ns"].len() == 2
            for last_byte_ns in cell["last_byte_ns"]:
                assert 0 <= last_byte_ns - number * RTT_NS <= CLOCK_NS, (profile, kind, size_bytes, last_byte_ns)


def test_a_reused_connection_has_no_handshake(rows: pl.DataFrame) -> None:
    reused = rows.filter(pl.col("connection").str.starts_with("reused"))
    assert reused["tls_done_ns"].null_count() == reused.height
    assert rows.filter(connection="resumed")["tls_done_ns"].null_count() == 0


def test_a_resumed_handshake_carries_no_chain(rows: pl.DataFrame) -> None:
    """ServerHello with its key share, two tags of change and the extensions and Finished: whatever the chain was."""
    sizes = {(row["profile"], row["connection"]): row for row in rows.to_dicts()}
    for profile, share in (("classical", 32), ("pq", 1088 + 32)):
        resumed = sizes[profile, "resumed"]
        # The extension that names the ticket takes six bytes.
        assert resumed["server_flight_bytes"] == 95 + 6 + share + 6 + (22 + 10) + (22 + 52)
        assert resumed["server_flight_bytes"] < sizes[profile, "full"]["server_flight_bytes"] - 800
        assert resumed["client_hello_bytes"] > sizes[profile, "full"]["client_hello_bytes"] + 200
        assert resumed["ticket_records"]
        assert not sizes[profile, "full"]["ticket_records"]


def test_times_are_what_the_model_expects(rows: pl.DataFrame) -> None:
    known = rows.filter(pl.col("expected_ns").is_not_null())
    limited = pl.col("bandwidth_bps").is_not_null()
    assert known.filter(limited).height == rows.filter(limited).height
    for row in known.to_dicts():
        assert abs(row["last_byte_ns"] - row["expected_ns"]) <= 0.002 * row["expected_ns"], row


@pytest.mark.parametrize(
    ("kind", "messages"),
    [
        ("resumed", {"ClientHello": ["ClientHello"], "response": ["NewSessionTicket", "response"]}),
        ("early", {"ClientHello": ["ClientHello", "request as early data"], "response": ["response"]}),
    ],
)
def test_a_trace_shows_what_was_sent(tmp_path: Path, kind: str, messages: dict[str, list[str]]) -> None:
    cell = ["--rtt", "100", "--bandwidth", "10", "--size", "0", "--profile", "pq", "--connection", kind]
    traced = json.loads(pqbed(tmp_path, "trace", *cell, "--bed", "uml", "--json"))
    flights = {flight["name"]: flight for flight in traced["flights"]}
    assert flights["server flight"]["messages"] == ["ServerHello", "EncryptedExtensions", "Finished"]
    assert {name: flights[name]["messages"] for name in messages} == messages
    assert ("request" in flights) == (kind == "resumed")


def test_no_sample_lies_below_its_floor(rows: pl.DataFrame) -> None:
    assert rows.filter(pl.col("last_byte_ns") < pl.col("floor_ns")).is_empty()
    assert rows["floor_ns"].null_count() == 0
