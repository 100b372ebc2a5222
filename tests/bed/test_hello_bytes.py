"""Hellos of a wanted size on the wire of a guest: bytes, segments at two MTUs, and what they cost."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.store.run_directory import open_run

pytestmark = pytest.mark.uml

WANTED = (1_428, 1_600, 1_944, 2_500, 4_000)
# Ethernet's payload less the headers of IP and TCP with timestamps.
HEADERS = 52


def write_file(folder: Path) -> None:
    profiles = "".join(
        f'[profiles.h{size}]\ngroup = "X25519MLKEM768"\nhello_bytes = {size}\nchain = {{ algorithm = "rsa2048" }}\n'
        for size in WANTED
    )
    names = ", ".join(f'"h{size}"' for size in WANTED)
    (folder / "sweep.toml").write_text(f"profile = [{names}]\naa = false\nsamples = 2\n{profiles}")


def pqbed(folder: Path, *arguments: str) -> bytes:
    command = [sys.executable, "-m", "pqbed_cli", *arguments, "--spec", "sweep.toml", "--bed", "uml"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300).stdout


def test_hellos_have_the_size_that_was_asked_for(tmp_path: Path) -> None:
    write_file(tmp_path)
    grid = ("--rtt", "100", "--bandwidth", "1,10", "--size", "0", "--mtu", "1500,1280", "--calibrate", "off")
    pqbed(tmp_path, "sweep", *grid)
    with open_run(next((tmp_path / "results").iterdir())) as run:
        rows = run.samples().join(run.cells(), on="cell_id").collect()
    assert set(rows["outcome"]) == {"ok"}
    assert set(rows["group"]) == {"X25519MLKEM768"}
    for row in rows.to_dicts():
        wanted = int(row["profile"][1:])
        assert abs(row["client_hello_bytes"] - wanted) <= 1, row["profile"]
        assert row["client_hello_segments"] == -(-row["client_hello_bytes"] // (row["mtu"] - HEADERS))
    known = rows.filter(pl.col("expected_ns").is_not_null())
    assert set(known["profile"]) == set(rows["profile"])
    for row in known.to_dicts():
        assert abs(row["last_byte_ns"] - row["expected_ns"]) <= 0.01 * row["expected_ns"], row
    assert rows.filter(pl.col("last_byte_ns") < pl.col("floor_ns")).is_empty()


def test_they_are_seen_in_packets(tmp_path: Path) -> None:
    write_file(tmp_path)
    cell = ("--rtt", "100", "--bandwidth", "10", "--size", "0", "--profile", "h4000")
    traced = json.loads(pqbed(tmp_path, "trace", *cell, "--json"))
    hello = next(flight for flight in traced["flights"] if flight["name"] == "ClientHello")
    assert abs(hello["payload_bytes"] - 4_000) <= 1
    assert hello["segments"] == 3
