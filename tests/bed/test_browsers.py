"""The hellos of browsers in virtual time: their sizes on the wire, in segments, and what they offer."""

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
CLOCK_NS = 100_000
BROWSERS = ("chrome", "firefox", "safari")
# TLS records seen with curl_cffi 0.17.0: ECH GREASE has one of four lengths, 32 bytes apart.
HELLOS = {"openssl": (1428, 1428), "chrome": (1911, 2007), "firefox": (1800, 1896), "safari": (1537, 1537)}


def pqbed(folder: Path, *arguments: str) -> bytes:
    command = [sys.executable, "-m", "pqbed_cli", *arguments]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("browsers")
    cell = ["--rtt", "100", "--bandwidth", "none,10", "--size", "0,20", "--mtu", "1500,1280", "--profile", "hybrid,pq"]
    more = ["--no-aa", "--samples", "2", "--calibrate", "off", "--bed", "uml"]
    pqbed(folder, "sweep", *cell, "--client-stack", f"same,{','.join(BROWSERS)}", *more)
    with open_run(next((folder / "results").iterdir())) as run:
        return run.samples().join(run.cells(), on="cell_id").collect()


def test_browsers_fetch_what_their_hello_offers(rows: pl.DataFrame) -> None:
    seen = {(row["profile"].partition(".")[0], row["client_stack"]): row for row in rows.to_dicts()}
    outcomes = {key: row["outcome"] for key, row in seen.items()}
    assert outcomes == {
        **{("hybrid", stack): "ok" for stack in HELLOS},
        **{("pq", stack): "ok" for stack in ("openssl", "chrome")},
        **{("pq", stack): "unsupported" for stack in ("firefox", "safari")},
    }
    assert "has no signature algorithm mldsa65" in seen["pq", "safari"]["detail"]
    assert set(rows.filter(outcome="ok")["group"]) == {"X25519MLKEM768"}


def test_their_hellos_have_the_browser_s_size_in_two_segments(rows: pl.DataFrame) -> None:
    for row in rows.filter(outcome="ok").to_dicts():
        least, most = HELLOS[row["client_stack"]]
        assert least <= row["client_hello_bytes"] <= most
        segment = row["mtu"] - 52
        assert row["client_hello_segments"] == -(-row["client_hello_bytes"] // segment)
    wide = rows.filter(pl.col("mtu") == 1500, pl.col("client_stack").is_in(BROWSERS), outcome="ok")
    assert set(wide["client_hello_segments"]) == {2}


def test_they_take_the_round_trips_of_other_clients(rows: pl.DataFrame) -> None:
    free = rows.filter(pl.col("bandwidth_bps").is_null(), outcome="ok", size_bytes=0)
    for row in free.to_dicts():
        trips = 4 if row["profile"].startswith("pq") else 3
        assert 0 <= row["last_byte_ns"] - trips * RTT_NS <= CLOCK_NS, row
    known = rows.filter(pl.col("expected_ns").is_not_null(), outcome="ok")
    assert set(known["client_stack"]) == set(HELLOS)
    for row in known.to_dicts():
        assert abs(row["last_byte_ns"] - row["expected_ns"]) <= 0.01 * row["expected_ns"], row
    assert rows.filter(pl.col("last_byte_ns") < pl.col("floor_ns")).is_empty()


def test_two_segments_are_seen_on_the_wire(tmp_path: Path) -> None:
    cell = ["--rtt", "100", "--bandwidth", "10", "--size", "0", "--profile", "hybrid", "--client-stack", "chrome"]
    traced = json.loads(pqbed(tmp_path, "trace", *cell, "--bed", "uml", "--json"))
    hello = next(flight for flight in traced["flights"] if flight["name"] == "ClientHello")
    least, most = HELLOS["chrome"]
    assert hello["segments"] == 2
    assert least <= hello["payload_bytes"] <= most
