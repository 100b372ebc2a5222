"""Named links measured in virtual time, against what the packet model expects without loss."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.spec.link_presets import builtin_links
from pqbed.store.run_directory import open_run

pytestmark = pytest.mark.uml

# wpt-edge and apple-edge have the same values.
LOSSLESS = [name for name, link in builtin_links().items() if "loss" not in link.values and name != "apple-edge"]
SIZES = "0,20,200"
ARMS = 2


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """One fetch in each cell, joined with its cell."""
    folder = tmp_path_factory.mktemp("links")
    command = (
        "sweep",
        "--bed",
        "uml",
        "--lanes",
        "1",
        "--samples",
        "1",
        "--no-aa",
        "--size",
        SIZES,
        "--initcwnd",
        "20",
    )
    subprocess.run(
        [sys.executable, "-m", "pqbed_cli", *command, "--link", ",".join(LOSSLESS)],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=300,
    )
    (path,) = Path(folder, "results").iterdir()
    with open_run(path) as run:
        return run.samples().collect().join(run.cells().collect(), on="cell_id")


def test_every_named_link_is_as_it_says(fetched: pl.DataFrame) -> None:
    assert fetched["link_name"].unique(maintain_order=True).sort().to_list() == sorted(LOSSLESS)
    assert fetched.height == len(LOSSLESS) * ARMS * len(SIZES.split(","))
    assert fetched["link_wrong"].to_list() == [False] * fetched.height, fetched["link_deviations"].unique().to_list()


def test_ttlb_over_every_lossless_link_is_as_expected_to_one_per_cent(fetched: pl.DataFrame) -> None:
    assert fetched["outcome"].unique().to_list() == ["ok"]
    off = fetched.with_columns(off=pl.col("last_byte_ns") / pl.col("lossless_ns") - 1)
    assert off["off"].null_count() == 0
    late = off.filter(pl.col("off").abs() > 0.01).select("link_name", "profile", "size_bytes", "off")
    assert late.rows() == []
