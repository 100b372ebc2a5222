"""Stapled OCSP responses and ALPN in virtual time: bytes on the wire, round trips, and stacks that have neither."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.store.run_directory import open_run
from support.units import MS

pytestmark = pytest.mark.uml

# ALPN with http/1.1 is 15 bytes in both directions, status_request 9; a response is its signature and 235 around it.
ALPN_BYTES, STATUS_REQUEST_BYTES, FRAME_BYTES, AROUND_BYTES = 15, 9, 235, 8
MLDSA44_BYTES, RSA2048_BYTES = 2_420, 256
SWEEP = """
profile = ["plain", "stapled", "alpn", "classical", "classical-stapled"]
aa = false
samples = 2
[profiles.plain]
group = "X25519MLKEM768"
chain = { algorithm = "mldsa44" }
[profiles.stapled]
group = "X25519MLKEM768"
chain = { algorithm = "mldsa44", ocsp = true }
[profiles.alpn]
group = "X25519MLKEM768"
chain = { algorithm = "mldsa44" }
alpn = true
[profiles.classical-stapled]
group = "X25519"
chain = { algorithm = "rsa2048", ocsp = true }
"""
OTHER_STACKS = """
profile = ["one", "two"]
aa = false
samples = 1
[profiles.one]
group = "X25519MLKEM768"
chain = { algorithm = "mldsa44", ocsp = true }
[profiles.two]
group = "X25519MLKEM768"
chain = { algorithm = "rsa2048" }
alpn = true
"""


def sweep(folder: Path, spec: str, *arguments: str, code: int = 0) -> pl.DataFrame:
    (folder / "sweep.toml").write_text(spec)
    command = [sys.executable, "-m", "pqbed_cli", "sweep", "--spec", "sweep.toml", "--bed", "uml", *arguments]
    done = subprocess.run([*command, "--calibrate", "off"], cwd=folder, check=False, capture_output=True, timeout=300)
    assert done.returncode == code, done.stderr
    with open_run(next((folder / "results").iterdir())) as run:
        return run.samples().join(run.cells(), on="cell_id").collect()


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    grid = ("--rtt", "20,100", "--bandwidth", "none,10", "--size", "0,20", "--connection", "full,resumed,early,reused")
    return sweep(tmp_path_factory.mktemp("stapled"), SWEEP, *grid)


def test_every_client_verified_what_was_stapled(rows: pl.DataFrame) -> None:
    assert rows["outcome"].unique().to_list() == ["ok"], rows["detail"].unique()


@pytest.mark.parametrize(
    ("profile", "other", "hello_bytes", "flight_bytes"),
    [
        ("stapled", "plain", STATUS_REQUEST_BYTES, AROUND_BYTES + FRAME_BYTES + MLDSA44_BYTES),
        # 9 bytes more make a message of 256, which OpenSSL pads to 512 (dd-038).
        ("classical-stapled", "classical", 517 - 252, AROUND_BYTES + FRAME_BYTES + RSA2048_BYTES),
        ("alpn", "plain", ALPN_BYTES, ALPN_BYTES),
    ],
)
def test_bytes_on_the_wire(rows: pl.DataFrame, profile: str, other: str, hello_bytes: int, flight_bytes: int) -> None:
    full = rows.filter(connection="full", size_bytes=0, rtt_ns=20 * MS)
    more, less = (full.filter(profile=name).row(0, named=True) for name in (profile, other))
    assert more["client_hello_bytes"] - less["client_hello_bytes"] == hello_bytes
    # By the length of a name and a date in DER at most.
    assert abs(more["server_flight_bytes"] - less["server_flight_bytes"] - flight_bytes) <= 4


def test_a_resumed_handshake_staples_nothing(rows: pl.DataFrame) -> None:
    resumed = rows.filter(connection="resumed", size_bytes=0, rtt_ns=20 * MS)
    flights = [resumed.filter(profile=name)["server_flight_bytes"][0] for name in ("stapled", "plain")]
    assert flights[0] == flights[1]


def test_measured_is_expected_and_above_the_floor(rows: pl.DataFrame) -> None:
    known = rows.filter(pl.col("expected_ns").is_not_null())
    assert known.filter(pl.col("bandwidth_bps").is_not_null()).height == rows.height // 2
    for row in known.to_dicts():
        assert abs(row["last_byte_ns"] - row["expected_ns"]) <= 0.01 * row["expected_ns"], row
    assert rows.filter(pl.col("last_byte_ns") < pl.col("floor_ns")).is_empty()


def test_stacks_that_do_not_are_unsupported(tmp_path: Path) -> None:
    grid = ("--rtt", "20", "--bandwidth", "none", "--size", "0", "--stack", "openssl", "--client-stack", "same,chrome")
    rows = sweep(tmp_path, OTHER_STACKS, *grid)
    seen = {(row["profile"].partition(".")[0], row["client_stack"]): row for row in rows.to_dicts()}
    assert {key: row["outcome"] for key, row in seen.items()} == {
        ("one", "openssl"): "ok",
        ("two", "openssl"): "ok",
        ("one", "chrome"): "unsupported",
        ("two", "chrome"): "unsupported",
    }
    assert "it verifies no stapled OCSP response" in seen["one", "chrome"]["detail"]
    assert "its ALPN cannot be chosen" in seen["two", "chrome"]["detail"]
