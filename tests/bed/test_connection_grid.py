"""Measured against expected on a grid of connection kinds, chains and links in virtual time."""

import subprocess
import sys

import polars as pl
import pytest

from pqbed.store.run_directory import open_run

pytestmark = pytest.mark.uml

KINDS = ("full", "resumed", "early", "reused", "reused:5s")
LINKS = ("wpt-3g", "lighthouse-slow-4g", "wpt-lte", "wpt-cable")
CHAINS = ("web-p5", "web-p50", "web-p50-pq", "web-p95-pq", "pq-mldsa87", "pq-mutual")
SIZES = (0, 10, 1024)
SPEC = """
[profiles.stapled]
group = "X25519MLKEM768"
chain = { algorithm = "mldsa44", depth = 3, ocsp = true }
[profiles.two-shares]
group = "X25519MLKEM768"
groups = ["X25519MLKEM768", "X25519"]
shares = ["X25519MLKEM768", "X25519"]
chain = { algorithm = "p256" }
[profiles.retried]
group = "X25519MLKEM768"
groups = ["X25519MLKEM768", "X25519"]
shares = ["X25519"]
server_groups = "X25519MLKEM768/X25519"
chain = { algorithm = "mldsa65" }
"""
OWN = ("stapled", "two-shares", "retried")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("grid")
    (folder / "sweep.toml").write_text(SPEC)
    grid = ["--link", ",".join(LINKS), "--connection", ",".join(KINDS), "--size", ",".join(map(str, SIZES))]
    grid += ["--profile", ",".join((*CHAINS, *OWN)), "--no-aa", "--samples", "1", "--calibrate", "off"]
    command = [sys.executable, "-m", "pqbed_cli", "sweep", "--spec", "sweep.toml", *grid, "--bed", "uml"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=600)
    with open_run(next((folder / "results").iterdir())) as run:
        return run.samples().join(run.cells(), on="cell_id").collect()


def test_every_fetch_was_what_was_asked(rows: pl.DataFrame) -> None:
    assert rows.height == len(KINDS) * len(LINKS) * len(SIZES) * (len(CHAINS) + len(OWN))
    refused = rows.filter(pl.col("outcome") != "ok")
    # The server skips early data where it asks for another hello (RFC 8446, 4.2.10).
    assert set(refused.select("profile", "connection", "outcome").unique().rows()) == {
        ("retried", "early", "unsupported")
    }


def test_measured_is_expected_within_one_per_cent(rows: pl.DataFrame) -> None:
    fetched = rows.filter(outcome="ok")
    assert fetched["expected_ns"].null_count() == 0
    for row in fetched.to_dicts():
        assert abs(row["last_byte_ns"] - row["expected_ns"]) <= 0.01 * row["expected_ns"], row
    assert fetched.filter(pl.col("last_byte_ns") < pl.col("floor_ns")).is_empty()
