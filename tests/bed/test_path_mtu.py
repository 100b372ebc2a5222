"""A path that takes less than its ends send: a black hole ends at the time limit, a clamped MSS ends well."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.store.run_directory import open_run
from support.units import MS

pytestmark = pytest.mark.uml

TIMEOUT_S = 60
# The hybrid ClientHello is 1,428 bytes; the classical one is 252, and the server's flight has full segments.
ARGUMENTS = ("--rtt", "100", "--bandwidth", "none", "--initcwnd", "20", "--layout", "ends,router", "--samples", "1")
PATHS = "none,1400:swallowed,1400:clamped,576:clamped"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paths")
    sweep = ("sweep", "--bed", "uml", "--lanes", "1", "--no-aa", "--size", "20", "--timeout", str(TIMEOUT_S))
    assert pqbed(folder, *sweep, *ARGUMENTS, "--path-mtu", PATHS).returncode == 4
    return folder


@pytest.fixture(scope="module")
def fetched(folder: Path) -> pl.DataFrame:
    (path,) = Path(folder, "results").iterdir()
    with open_run(path) as run:
        return run.samples().collect().join(run.cells().collect(), on="cell_id")


def pqbed(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pqbed_cli", *arguments]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=300, text=True)


def test_calibration_finds_the_path_as_asked(fetched: pl.DataFrame) -> None:
    assert fetched["link_deviations"].unique().to_list() == [""]


def test_a_black_hole_ends_at_the_time_limit(fetched: pl.DataFrame) -> None:
    lost = fetched.filter(pl.col("path_mtu") == "1400:swallowed")
    assert lost["outcome"].to_list() == ["timeout"] * 4
    # TCP's own handshake has small packets: the connection stands, and then nothing comes.
    again = dict(lost.group_by("profile").agg(pl.col("retransmits").min()).rows())
    assert again["pq"] >= 5
    assert again["classical"] == 0


def test_a_clamped_mss_ends_well_and_costs_what_smaller_segments_cost(fetched: pl.DataFrame) -> None:
    others = fetched.filter(pl.col("path_mtu").is_in(["none", "1400:clamped"]))
    assert others["outcome"].to_list() == ["ok"] * 8
    assert others.filter((pl.col("last_byte_ns") - 300 * MS).abs() > MS).is_empty()
    # At 576 bytes the hybrid flight is more than one initial window.
    small = dict(
        fetched.filter(pl.col("path_mtu") == "576:clamped").group_by("profile").agg(pl.col("tls_done_ns").max()).rows()
    )
    assert abs(small["classical"] - 200 * MS) < MS
    assert abs(small["pq"] - 300 * MS) < MS


def test_explain_and_trace_name_the_black_hole(folder: Path) -> None:
    cells = json.loads(pqbed(folder, "explain", "latest", "--path-mtu", "1400:swallowed", "--json").stdout)["cells"]
    assert len(cells) == 4
    words = "The path is a black hole for packets above 1400 bytes: the ends send up to 1500"
    assert words in pqbed(folder, "explain", "latest", "--path-mtu", "1400:swallowed").stdout
    trace = ("trace", "--bed", "uml", "--profile", "pq", "--size", "0", "--rtt", "100", "--bandwidth", "none")
    told = pqbed(folder, *trace, "--timeout", str(TIMEOUT_S), "--path-mtu", "1400:swallowed").stdout
    assert words in told
    assert "failed: timeout" in told
