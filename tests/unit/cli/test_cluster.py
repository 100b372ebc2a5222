"""`pqbed sweep --cluster` and `pqbed plan --cluster`: as on one machine, and what they refuse."""

import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from support.command_line import Pqbed

SWEEP = ("sweep", "--bed=fake", "--rtt=35", "--size=0", "--samples=20")


@pytest.mark.filterwarnings("ignore")  # Dask's own, about ports and forks
def test_a_sweep_on_workers_of_this_machine(pqbed: Pqbed, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    ended = pqbed(*SWEEP, "--cluster", "local:2")
    assert ended.code == 0, ended.err
    assert "cluster: 2 workers, 2 lanes\ndashboard: http://127.0.0.1:" in ended.err
    assert "2 workers with 0 tasks, " in ended.err
    assert pqbed("verify", "latest").code == 0
    pqbed(*SWEEP)
    first, second = (
        pl.read_parquet(run / "samples" / "*.parquet").drop("lane", "host").sort("cell_id", "repetition")
        for run in sorted((tmp_path / "results").iterdir())
    )
    assert first.equals(second)
    assert first.height > 0


def test_a_plan_for_a_cluster_counts_its_lanes(pqbed: Pqbed) -> None:
    line = pqbed("plan", *SWEEP[1:], "--cluster", "local:16").out.splitlines()[-1]
    assert " fetches on 16 lanes, " in line


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--cluster=local:2", "--lanes=2"), "--lanes and --cluster cannot be used together"),
        (("--cluster=local:2", "--clock=real"), "--cluster needs the virtual clock"),
        (("--cluster=local:2", "--precision=5"), "a sweep with a precision cannot be spread over a cluster"),
        (("--cluster=scheduler.json",), "--cluster scheduler.json: there is no such scheduler file"),
    ],
)
def test_what_a_cluster_cannot_do(pqbed: Pqbed, tmp_path: Path, more: Any, message: str) -> None:
    ended = pqbed(*[option for option in SWEEP if "precision" not in more[-1] or "samples" not in option], *more)
    assert ended.code == 2
    assert ended.err.splitlines()[-2].startswith(f"pqbed: {message}")
    assert not list((tmp_path / "results").glob("*"))


def test_without_dask_the_extra_is_named(pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    ended = pqbed(*SWEEP, "--cluster=local:2")
    assert ended.code == 3
    assert 'pip install "pqbed[cluster]"' in ended.err
