"""Several stacks in one guest: every pair of client and server over one lossy link, in virtual time."""

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.artefacts import prepare_uml
from pqbed.store.run_directory import open_run
from support.guest import Guest, run_in_guest
from support.netem_host import run_on_netem_host
from support.units import MS

# As in test_expectation.py.
CLOCK_NS = 20_000

pytestmark = pytest.mark.uml

ADDED = ("botan", "go", "openssl-fips")
LINK = ("--bed", "uml", "--rtt", "35", "--loss", "2", "--bandwidth", "1mbit", "--no-aa", "--seed", "7")
PATIENCE_S = 200

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def guest() -> Guest:
    made = prepare_uml(stacks=ADDED)
    return Guest(made.kernel, made.root)


@pytest.fixture(scope="module")
def supports(guest: Guest) -> dict[str, dict[str, Any]]:
    script = Path(__file__).with_name("guest_stacks.py")
    rows = run_in_guest(guest, script, " ".join(("openssl", *ADDED)))
    return {row["stack"]: row["support"] for row in rows}


def sweep(out: Path, *options: str) -> tuple[pl.DataFrame, str]:
    """Run a sweep; return its samples with the profile of each, and what was printed."""
    command = [sys.executable, "-m", "pqbed_cli", "sweep", *LINK, *options, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.iterdir()
    with open_run(path) as run:
        samples = run.samples().join(
            run.cells().select("cell_id", "profile", "size_bytes", "connection", "stack", "client_stack"), on="cell_id"
        )
        return samples.collect(), done.stdout


def test_each_stack_says_what_it_has_itself(supports: Any) -> None:
    for name in ("openssl", *ADDED):
        assert {"0x11ec", "x25519mlkem768"} & {group.lower() for group in supports[name]["groups"]}, name
        assert len(supports[name]["signatures"]) > 3
    assert supports["go"]["version"].startswith("Go 1.")
    assert supports["botan"]["version"].startswith("Botan 3.")
    assert "0x0905" in supports["go"]["signatures"]
    assert "0x0905" not in supports["botan"]["signatures"]


def test_the_second_provider_is_there_and_serves_what_it_has(supports: Any) -> None:
    assert supports["openssl"]["providers"] == ["default"]
    assert sorted(supports["openssl-fips"]["providers"]) == ["default", "fips"]
    alone, both = supports["openssl"]["provided"], supports["openssl-fips"]["provided"]
    assert {one["provider"] for one in alone.values()} == {"default"}
    assert both["X25519MLKEM768"] == {"codepoint": 0x11EC, "provider": "fips"}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    every = "openssl,go,botan"
    options = ("--profile", "hybrid", "--size", "0,50", "--samples", "4", "--stack", every, "--client-stack", every)
    return sweep(tmp_path_factory.mktemp("pairs"), *options)[0]


def test_every_pair_speaks_the_hybrid_group(pairs: Any) -> None:
    assert pairs["profile"].n_unique() == 9
    assert set(pairs["outcome"]) == {"ok"}
    assert set(pairs["group"]) == {"X25519MLKEM768"}
    assert set(pairs["signature"]) == {"rsa_pss_rsae_sha256"}


def test_every_client_tells_the_same_of_a_connection(pairs: Any) -> None:
    order = ["tcp_connect_ns", "tls_done_ns", "first_byte_ns", "last_byte_ns"]
    for before, after in itertools.pairwise(order):
        assert pairs.filter(pl.col(before) > pl.col(after)).is_empty()
    assert pairs.filter(pl.col("body_bytes") != pl.col("size_bytes")).is_empty()
    assert pairs["tcp_rtt_ns"].min() >= 35_000_000
    assert pairs["cwnd"].null_count() == 0
    # The first SYN of a pair of arms meets the same packets: where none is lost, clients differ by how often they read
    # the clock until then, which takes 0.256 us each time. libcurl does it most often.
    first = pairs.filter(pl.col("tcp_connect_ns") < 40_000_000)["tcp_connect_ns"]
    assert first.max() - first.min() < CLOCK_NS


def test_stacks_differ_by_what_they_send_not_by_their_clocks(pairs: Any) -> None:
    """Without CPU time only bytes and segments are left: within 5 % of the slowest pair, and not all the same."""
    clean = pairs.filter((pl.col("size_bytes") == 51_200) & (pl.col("retransmits") == 0))
    best = clean.group_by("profile").agg(pl.col("last_byte_ns").min())["last_byte_ns"]
    assert best.max() < 1.05 * best.min()
    assert best.n_unique() > 1


def test_what_a_side_lacks_is_unsupported_and_the_sweep_is_well(tmp_path: Path) -> None:
    stacks = ("--stack", "openssl,go,botan", "--client-stack", "openssl,botan")
    rows, printed = sweep(tmp_path, "--profile", "pq", "--size", "0", "--samples", "2", *stacks)
    outcomes = dict(rows.select("profile", "outcome").unique().rows())
    assert outcomes == {
        "pq.openssl": "ok",
        "pq.openssl-to-go": "ok",
        "pq.openssl-to-botan": "unsupported",
        "pq.botan-to-openssl": "unsupported",
        "pq.botan-to-go": "unsupported",
        "pq.botan": "unsupported",
    }
    assert "pq.openssl-to-botan is not supported by the server botan: Botan 3." in printed
    assert "pq.botan-to-openssl is not supported by the client botan: Botan 3." in printed
    assert "failed" not in printed
    fetched = rows.filter(pl.col("outcome") == "unsupported")
    assert fetched["tcp_connect_ns"].null_count() == fetched.height


def test_a_sample_says_which_provider_served_it(tmp_path: Path) -> None:
    stacks = ("--stack", "openssl,openssl-fips", "--client-stack", "openssl,openssl-fips")
    rows, _ = sweep(tmp_path, "--profile", "pq", "--size", "0", "--samples", "2", *stacks)
    assert set(rows["outcome"]) == {"ok"}
    assert set(rows.select("profile", "provider", "client_provider").unique().rows()) == {
        ("pq.openssl", "default", "default"),
        ("pq.openssl-fips-to-openssl", "default", "fips"),
        ("pq.openssl-to-openssl-fips", "fips", "default"),
        ("pq.openssl-fips", "fips", "fips"),
    }


def test_clients_and_servers_agree_on_the_kind_of_connection(tmp_path: Path) -> None:
    """Each pair says itself what it did, or which of its ends cannot: only OpenSSL's have early data."""
    options = ("--stack", "openssl,go", "--client-stack", "openssl,go", "--profile", "hybrid", "--samples", "1")
    samples, _ = sweep(tmp_path, *options, "--size", "0", "--connection", "full,resumed,early,reused")
    assert samples.height == 4 * 4
    for row in samples.to_dicts():
        early = row["connection"] == "early" and "go" in (row["stack"], row["client_stack"])
        assert row["outcome"] == ("unsupported" if early else "ok"), row
        assert not early or row["detail"].endswith("go: early connections")


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="the netns bed needs root")
def test_every_stack_fetches_in_namespaces_of_a_host_with_netem(guest: Guest, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    command = [sys.executable, "-m", "pqbed_cli", "sweep", "--bed", "netns", "--rtt", "35", "--size", "20", "--no-aa"]
    command += ["--profile", "hybrid", "--stack", ",".join(("openssl", *ADDED)), "--samples", "2", "--lanes", "1"]
    command += ["--calibrate", "off", "--out", str(out)]
    done = run_on_netem_host(guest.kernel, tmp_path, command, os.environ)
    assert done.code == 0, done.stdout + done.stderr
    (path,) = out.iterdir()
    with open_run(path) as run:
        rows = run.samples().join(run.cells().select("cell_id", "stack"), on="cell_id").collect()
    assert set(rows.select("stack", "bed", "outcome", "provider").unique().rows()) == {
        ("openssl", "netns", "ok", "default"),
        ("openssl-fips", "netns", "ok", "fips"),
        ("go", "netns", "ok", None),
        ("botan", "netns", "ok", None),
    }
    assert rows.filter(pl.col("tcp_connect_ns") < 35 * MS).is_empty()
