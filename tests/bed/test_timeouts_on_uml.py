"""Fetches that take longer than any software's own time-out, in virtual time: only --timeout ends them."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.artefacts import prepare_uml
from pqbed.store.run_directory import open_run

pytestmark = pytest.mark.uml

# nginx's own limits are 60 s (handshake, writes) and 75 s (idle), libcurl's for a connection with its handshake 300 s.
NGINX_S, LIBCURL_S = 75, 300
LARGE = """
[profiles.large]
group = "X25519MLKEM768"
chain = { algorithm = "rsa2048", depth = 2, wire_bytes = 40000 }
"""
LARGE_FLIGHT = ("--profile", "large", "--rtt", "1.8s")
ADDED = ("go", "botan")
PATIENCE_S = 300


def fetch_slowly(folder: Path, *options: str) -> pl.DataFrame:
    """Fetch 100 KiB at 1 kbit/s; return the samples."""
    spec = folder / "large.toml"
    spec.write_text(LARGE)
    out = folder / "results"
    command = [sys.executable, "-m", "pqbed_cli", "sweep", "--spec", str(spec), "--bed", "uml"]
    command += ["--no-aa", "--bandwidth", "1kbit", "--size", "100", "--loss", "0", "--samples", "1"]
    command += ["--calibrate", "off", "--out", str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode in (0, 4), done.stdout + done.stderr
    (run,) = out.iterdir()
    with open_run(run) as opened:
        return opened.samples().join(opened.cells().select("cell_id", "profile"), on="cell_id").collect()


def assert_slow_and_whole(samples: pl.DataFrame, *, arms: int, handshake_s: int) -> None:
    assert samples["profile"].n_unique() == arms
    assert set(samples["outcome"]) == {"ok"}, samples.select("profile", "outcome", "detail").to_dicts()
    assert samples["tls_done_ns"].min() > handshake_s * 10**9
    assert (samples["last_byte_ns"] - samples["tls_done_ns"]).min() > LIBCURL_S * 10**9


def test_nginx_and_libcurl_wait_as_long_as_asked(tmp_path: Path) -> None:
    prepare_uml()
    samples = fetch_slowly(tmp_path, *LARGE_FLIGHT, "--timeout", "3600")
    assert_slow_and_whole(samples, arms=1, handshake_s=LIBCURL_S)


def test_every_stack_waits_as_long_as_asked(tmp_path: Path) -> None:
    prepare_uml(stacks=ADDED)
    every = ",".join(("openssl", *ADDED))
    link = ("--rtt", "60s", "--profile", "hybrid", "--timeout", "3600")
    samples = fetch_slowly(tmp_path, *link, "--stack", every, "--client-stack", every)
    assert_slow_and_whole(samples, arms=9, handshake_s=2 * NGINX_S)


def test_the_time_out_that_was_asked_for_ends_a_fetch(tmp_path: Path) -> None:
    prepare_uml()
    samples = fetch_slowly(tmp_path, *LARGE_FLIGHT, "--timeout", "200")
    assert set(samples["outcome"]) == {"timeout"}
