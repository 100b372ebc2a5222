"""`pqbed verify` names what is wrong with a run, and finds nothing in one that is whole."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.beds.fake_bed import FakeBed
from pqbed.plan import plan_sweep
from pqbed.runner import run_sweep
from pqbed.spec.run_options import RunOptions
from pqbed.spec.sweep_toml import sweep_to_toml
from pqbed.store.checksums import PartSums
from pqbed.store.run_directory import create_run, open_run
from pqbed.store.table_schemas import SAMPLES_ID
from pqbed.verify_run import verify_run
from pqbed_cli.main import run as pqbed
from support.sweeps import SWEEP, manifest


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    with create_run(out, "small", manifest(), {"sweep.toml": sweep_to_toml(SWEEP, RunOptions())}) as run:
        run_sweep(plan_sweep(SWEEP), FakeBed(), run, lanes=2)
    return run.path


@pytest.fixture
def stored(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "run")


def failed(path: Path) -> dict[str, str]:
    with open_run(path) as run:
        return {check.name: check.detail for check in verify_run(run) if not check.holds}


def change_samples(path: Path, change: Callable[..., Any]) -> None:
    """Rewrite the first part with `change` applied to it, and its sum: as if it had been measured so."""
    part = min((path / "samples").glob("part-*.parquet"))
    change(pl.read_parquet(part)).write_parquet(part, metadata={"schema": SAMPLES_ID})
    PartSums(path).add(part.name, part.read_bytes())


def test_a_run_that_is_whole(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert failed(stored) == {}
    assert pqbed(["verify", str(stored)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["ok", name] for name in ("files", "plan", "samples", "counts", "conditions", "floor", "calibration")
    ]


def test_a_failed_check_is_exit_code_4_and_json_says_the_same(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    min((stored / "samples").glob("part-*")).unlink()
    assert pqbed(["verify", str(stored), "--json"]) == 4
    [check] = json.loads(capsys.readouterr().out)
    assert not check["holds"]
    assert check["detail"].endswith("is missing")


def test_what_is_no_run_is_a_wrong_request(tmp_path: Path) -> None:
    assert pqbed(["verify", str(tmp_path / "none")]) == 2


def test_a_damaged_part(stored: Path) -> None:
    part = min((stored / "samples").glob("part-*"))
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    assert part.name in failed(stored)["files"]


def test_an_edited_seed(stored: Path) -> None:
    spec = stored / "sweep.toml"
    spec.write_text(spec.read_text().replace("seed = 1\n", "seed = 2\n"))
    assert failed(stored).keys() == {"plan", "samples"}
    assert "no fetch of the plan" in failed(stored)["samples"]


def test_an_edited_axis(stored: Path) -> None:
    spec = stored / "sweep.toml"
    spec.write_text(spec.read_text().replace("200ms", "201ms"))
    assert "not the same" in failed(stored)["plan"]


def test_fewer_samples_than_planned(stored: Path) -> None:
    spec = stored / "sweep.toml"
    spec.write_text(spec.read_text().replace("samples = 6", "samples = 7"))
    assert failed(stored).keys() == {"counts"}


def test_a_changed_cells_table(stored: Path) -> None:
    path = stored / "cells.parquet"
    table = pl.read_parquet(path).with_columns(rtt_ns=pl.col("rtt_ns") + 1)
    table.write_parquet(path, metadata={"schema": "pqbed.cells/1"})
    assert "rtt_ns" in failed(stored)["plan"]


def test_a_missing_cells_table(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (stored / "cells.parquet").unlink()
    assert "cells.parquet is missing" in failed(stored)["plan"]
    for command in ("show", "explain", "report", "export"):
        assert pqbed([command, str(stored), *(["--csv"] if command == "export" else [])]) == 3
        assert "cells.parquet is missing" in capsys.readouterr().err


def test_a_sample_that_is_there_twice(stored: Path) -> None:
    change_samples(stored, lambda rows: pl.concat([rows, rows.tail(1)]))
    assert "share their cell and repetition" in failed(stored)["samples"]


def test_a_lost_sample(stored: Path) -> None:
    change_samples(stored, lambda rows: rows.head(-1))
    assert failed(stored).keys() == {"counts"}


def test_samples_of_another_kernel(stored: Path) -> None:
    change_samples(stored, lambda rows: rows.with_columns(kernel=pl.lit("7.0")))
    assert "kernel: 7.0" in failed(stored)["conditions"]


def test_a_sample_below_its_floor(stored: Path) -> None:
    change_samples(stored, lambda rows: rows.with_columns(last_byte_ns=pl.col("last_byte_ns") // 100))
    assert failed(stored).keys() == {"floor"}


def test_a_wrong_link(stored: Path) -> None:
    path = stored / "calibration.parquet"
    table = pl.read_parquet(path).with_columns(wrong=pl.lit(value=True), deviations=pl.lit(["rtt: 2 ms off"]))
    table.write_parquet(path, metadata={"schema": "pqbed.calibration/1"})
    assert "rtt: 2 ms off" in failed(stored)["calibration"]
