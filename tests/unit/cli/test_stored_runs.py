"""Runs that pqbed 0.1.0 stored before its axes stood in a table: one finished, one interrupted."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from pqbed.plan import plan_sweep
from pqbed.spec.axes import AXES
from pqbed.spec.sweep_toml import read_run_sweep
from pqbed.store.cells_table import tabulate_cells
from pqbed.store.table_schemas import ASKED
from support.command_line import Pqbed

STORED = Path(__file__).parents[2] / "golden" / "runs"
RUNS = ("finished", "stopped")


@pytest.fixture(params=RUNS)
def stored(request: pytest.FixtureRequest) -> Path:
    return STORED / str(request.param)


def copy_of(run: Path, out: Path) -> Path:
    copied = out / f"20261126T000000Z-{run.name}"
    shutil.copytree(run, copied)
    (copied / "journal").mkdir(exist_ok=True)  # git keeps no empty folder
    return copied


def test_the_sweep_of_a_stored_run_plans_the_same_cells_seeds_and_order(stored: Path) -> None:
    plan = plan_sweep(read_run_sweep(stored / "sweep.toml")[0])
    cells = pl.read_parquet(stored / "cells.parquet")
    assert list(plan.cells) == cells["cell_id"].to_list()
    samples = pl.read_parquet(stored / "samples" / "*.parquet")
    planned = [(fetch.cell_id, fetch.block, fetch.seed) for block in plan.blocks() for fetch in block]
    taken = samples.select("cell_id", "block", "seed").rows()
    assert taken == planned[: len(taken)]


def test_stored_columns_are_written_the_same_and_in_the_same_order(stored: Path) -> None:
    plan = plan_sweep(read_run_sweep(stored / "sweep.toml")[0])
    before = pl.read_parquet(stored / "cells.parquet")
    now = tabulate_cells(plan, {})
    unknown = {"chain_wire_bytes", "client_chain_wire_bytes"}  # counted by a lane, not by the plan
    shared = [name for name in ASKED if name in before.columns and name not in unknown]
    assert [name for name in before.columns if name in shared] == shared
    assert now.select(shared).equals(before.select(shared))


def test_every_axis_reads_its_value_back_from_a_stored_row(stored: Path) -> None:
    plan = plan_sweep(read_run_sweep(stored / "sweep.toml")[0])
    for row in pl.read_parquet(stored / "cells.parquet").to_dicts():
        cell = plan.cells[row["cell_id"]]
        assert {name: axis.read(row) for name, axis in AXES.items()} == {
            name: axis.value(cell) for name, axis in AXES.items()
        }


def test_a_stored_run_is_shown_explained_compared_and_exported(pqbed: Pqbed, stored: Path, tmp_path: Path) -> None:
    run = copy_of(stored, tmp_path)
    shown = pqbed("show", str(run))
    assert (shown.code, shown.err) == (0, "")
    assert "rtt 35ms" in shown.out
    assert pqbed("explain", str(run), "--rtt", "35", "--size", "0").code == 0
    assert pqbed("compare", str(run), str(run)).code == 0
    assert pqbed("export", str(run), "--csv").out.startswith("cell_id,")


def test_an_interrupted_stored_run_is_resumed_to_its_plan(pqbed: Pqbed, tmp_path: Path) -> None:
    run = copy_of(STORED / "stopped", tmp_path)
    ended = pqbed("sweep", "--resume", str(run))
    assert ended.code == 0
    samples = pl.concat([pl.read_parquet(part) for part in (run / "samples").iterdir()], how="diagonal")
    plan = plan_sweep(read_run_sweep(run / "sweep.toml")[0])
    planned = sorted((fetch.cell_id, fetch.block, fetch.seed) for block in plan.blocks() for fetch in block)
    assert sorted(samples.select("cell_id", "block", "seed").rows()) == planned
