"""The example notebook, run on a run of the fake bed: polars, DuckDB and the summary say the same."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from support.command_line import only_run

NOTEBOOK = Path(__file__).parents[3] / "docs" / "examples" / "read_a_run.py"
SWEEP = ("--bed=fake", "--rtt=35,200", "--bandwidth=1,none", "--size=0,50", "--samples=20")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebook")
    command = [sys.executable, "-m", "pqbed_cli", "sweep", *SWEEP]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def test_its_cells_agree_with_each_other_and_with_the_summary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [str(NOTEBOOK)])
    spec = importlib.util.spec_from_file_location("read_a_run", NOTEBOOK)
    module: Any = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(module)
    _, found = module.app.run()
    polars, duckdb = found["with_polars"], found["with_duckdb"]
    assert polars.height == 2 * 2 * 2 * 2
    assert polars.drop("median_ms").equals(duckdb.drop("median_ms").cast(polars.drop("median_ms").schema))
    assert polars["median_ms"].to_list() == pytest.approx(duckdb["median_ms"].to_list())
    run = only_run(folder)
    summary = pl.read_parquet(run / "summary.parquet").join(
        pl.read_parquet(run / "cells.parquet").drop("profile"), on="cell_id"
    )
    keys = ["profile", "rtt_ns", "bandwidth_bps", "size_bytes"]
    both = polars.join(summary, on=keys, nulls_equal=True)
    assert both.height == polars.height
    assert both["median_ms"].to_list() == pytest.approx((both["p50_ns"] / 1e6).to_list())
    assert found["increases"].height == 8
    assert found["chart"].to_dict()["mark"]["type"] == "line"


def test_it_runs_as_a_script_on_the_run_that_is_named(folder: Path) -> None:
    command = [sys.executable, str(NOTEBOOK), "--run", str(only_run(folder))]
    assert subprocess.run(command, cwd="/", check=False, capture_output=True, timeout=300).returncode == 0
