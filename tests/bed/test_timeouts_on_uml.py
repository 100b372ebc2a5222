"""Fetches that take longer than any software's own time-out, in virtual time: only --timeout ends them."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.artefacts import prepare_uml
from pqbed.store.run import open_run

pytestmark = pytest.mark.uml

# nginx's own limits are 60 s (handshake, writes) and 75 s, libcurl's for a connection and its handshake is 300 s.
LONGEST_OWN_NS = 300 * 10**9
LARGE = """
[profiles.large]
group = "X25519MLKEM768"
chain = { algorithm = "rsa2048", depth = 2, wire_bytes = 40000 }
"""
ADDED = ("go", "botan")
PATIENCE_S = 300


def fetch_slowly(folder: Path, *options: str) -> pl.DataFrame:
    """Fetch 40 KB of certificates and then 100 KiB at 1 kbit/s; return the samples."""
    spec = folder / "large.toml"
    spec.write_text(LARGE)
    out = folder / "results"
    command = [sys.executable, "-m", "pqbed_cli", "sweep", "--spec", str(spec), "--profile", "large", "--bed", "uml"]
    command += ["--no-aa", "--rtt", "1.8s", "--bandwidth", "1kbit", "--size", "100", "--loss", "0", "--samples", "1"]
    command += ["--calibrate", "off", "--out", str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode in (0, 4), done.stdout + done.stderr
    (run,) = out.iterdir()
    with open_run(run) as opened:
        return opened.samples().join(opened.cells().select("cell_id", "profile"), on="cell_id").collect()


def assert_slow_and_whole(samples: pl.DataFrame, arms: int) -> None:
    assert samples["profile"].n_unique() == arms
    assert set(samples["outcome"]) == {"ok"}, samples.select("profile", "outcome", "detail").to_dicts()
    assert samples["tls_done_ns"].min() > LONGEST_OWN_NS
    assert (samples["last_byte_ns"] - samples["tls_done_ns"]).min() > LONGEST_OWN_NS


def test_nginx_and_libcurl_wait_as_long_as_asked(tmp_path: Path) -> None:
    prepare_uml()
    assert_slow_and_whole(fetch_slowly(tmp_path, "--timeout", "3600"), 1)


def test_every_stack_waits_as_long_as_asked(tmp_path: Path) -> None:
    prepare_uml(stacks=ADDED)
    every = ",".join(("openssl", *ADDED))
    samples = fetch_slowly(tmp_path, "--timeout", "3600", "--stack", every, "--client-stack", every)
    assert_slow_and_whole(samples, 9)


def test_the_time_out_that_was_asked_for_ends_a_fetch(tmp_path: Path) -> None:
    prepare_uml()
    samples = fetch_slowly(tmp_path, "--timeout", "200")
    assert set(samples["outcome"]) == {"timeout"}
