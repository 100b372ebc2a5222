"""A sweep on worker processes takes the samples that one machine takes."""

import functools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.beds.bed_interface import Bed
from pqbed.beds.fake_bed import FakeBed
from pqbed.cluster.cluster_address import ClusterAddress
from pqbed.cluster.open_cluster import open_cluster
from pqbed.cluster.worker_identity import identify
from pqbed.errors import HostError, LaneError, StoreError
from pqbed.runner import PartTaken, SweepOutcome, WorkerFailed, run_sweep
from pqbed.store.run_directory import Run, open_run
from support.cluster_beds import Defect, FaultyBed, FullDisk, Kill, fake_bed
from support.sweeps import held, new_run, planned, small_plan

pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Dask's own, about ports and forks


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with open_cluster(ClusterAddress(workers=3)) as opened:
        yield opened


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with new_run(tmp_path) as made:
        yield made


def execute(client: Any, run: Run, make_bed: Callable[[], Bed] = fake_bed, **changes: Any) -> SweepOutcome:
    from pqbed.cluster.execute_on_cluster import run_on_cluster
    from pqbed.cluster.worker_lanes import WorkerSetup

    setup: dict[str, Any] = {
        "plan": small_plan(),
        "manifest": run.manifest,
        "calibrate": "once",
        "identity": identify(FakeBed().prepare()),
        "make_bed": make_bed,
    }
    on_event = changes.pop("on_event", lambda _: None)
    return run_on_cluster(WorkerSetup(**setup | changes), client, run, clock="virtual", on_event=on_event)


def rows(run: Run) -> list[tuple[Any, ...]]:
    return run.samples().drop("lane", "host").sort("cell_id", "repetition").collect().rows()


def calibrations(run: Run) -> list[tuple[Any, ...]]:
    return run.calibration().drop("lane", "host", "measured_at").sort("link_id").rows()


def test_the_same_rows_as_on_one_machine(client: Any, tmp_path: Path) -> None:
    plan = small_plan(samples=40)
    taken = []
    for number in range(3):
        out = tmp_path / str(number)
        with new_run(out) as run:
            if number < 2:
                run_sweep(plan, FakeBed(), run, lanes=number + 1)
            else:
                assert execute(client, run, plan=plan).state == "finished"
            assert len(set(run.samples().select("lane").collect()["lane"])) <= number + 1
            taken.append((rows(run), run.cells().collect().rows(), calibrations(run)))
    assert len(taken[0][0]) == plan.fetch_count
    assert taken[0] == taken[1] == taken[2]


def test_progress_counts_the_cluster(client: Any, run: Run) -> None:
    events: list[Any] = []
    execute(client, run, on_event=events.append)
    parts = [event for event in events if isinstance(event, PartTaken)]
    assert sum(part.samples for part in parts) == small_plan().fetch_count
    assert {part.workers for part in parts} == {3}
    assert parts[-1].waiting == 0


def test_a_run_of_one_machine_goes_on_with_a_cluster_and_back(client: Any, tmp_path: Path) -> None:
    plan = small_plan()
    with new_run(tmp_path) as run, pytest.raises(LaneError):
        run_sweep(plan, FakeBed(die_at=range(20, 200)), run, lanes=1)
    [path] = tmp_path.glob("2*")
    with open_run(path) as run:
        before = held(run)
        assert 0 < len(before) < plan.fetch_count
        assert execute(client, run).state == "finished"
        assert held(run) == planned(plan)
        assert run_sweep(plan, FakeBed(), run, lanes=1).taken == plan.fetch_count


@pytest.mark.parametrize("name", ["Python", "pqbed", "fake"])
def test_a_worker_that_differs_is_refused(client: Any, run: Run, name: str) -> None:
    identity = identify(FakeBed().prepare())
    with pytest.raises(HostError, match=f"worker tcp://.* would take other samples: {name} is .* there and other here"):
        execute(client, run, identity=identity | {name: "other"})
    assert not held(run)


def at(repetition: int = 3) -> tuple[str, int]:
    return next(iter(small_plan().cells)), repetition


def test_a_killed_worker_costs_no_sample(client: Any, run: Run, tmp_path: Path) -> None:
    struck = tmp_path / "struck"
    struck.mkdir()
    outcome = execute(client, run, functools.partial(FaultyBed, Kill(at(), struck)))
    assert outcome.state == "finished"
    assert len(list(struck.iterdir())) == 1
    assert held(run) == planned(small_plan())


def test_a_task_that_kills_three_workers_is_reported(client: Any, run: Run, tmp_path: Path) -> None:
    struck = tmp_path / "struck"
    struck.mkdir()
    with pytest.raises(LaneError, match="3 workers died while they were doing link-0-blocks-"):
        execute(client, run, functools.partial(FaultyBed, Kill(at(), struck, most=9)))
    assert len(list(struck.iterdir())) == 3
    client.wait_for_workers(3)
    assert execute(client, run).state == "finished"
    assert held(run) == planned(small_plan())


def test_a_cluster_that_has_lost_its_workers_is_not_waited_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pqbed.cluster.execute_on_cluster.LOOK_S", 0.2)
    monkeypatch.setattr("pqbed.cluster.execute_on_cluster.WORKERLESS_S", 1.0)
    with open_cluster(ClusterAddress(workers=1)) as alone:
        alone.cluster.scale(0)
        alone.retire_workers(close_workers=True)
        with pytest.raises(LaneError, match="the cluster has had no worker for 1 s"):
            execute(alone, run)
    assert not held(run)


def test_a_full_disk_sends_the_task_to_another_worker(client: Any, run: Run, tmp_path: Path) -> None:
    struck = tmp_path / "struck"
    struck.mkdir()
    events: list[Any] = []
    outcome = execute(client, run, functools.partial(FaultyBed, FullDisk(at(), struck, most=2)), on_event=events.append)
    assert outcome.state == "finished"
    assert held(run) == planned(small_plan())
    failures = [event for event in events if isinstance(event, WorkerFailed)]
    assert len({failure.worker for failure in failures}) == 2
    assert {failure.detail for failure in failures} == {"/tmp/guest: No space left on device"}


def test_a_task_that_fails_on_three_workers_is_reported_as_what_it_is(client: Any, run: Run, tmp_path: Path) -> None:
    struck = tmp_path / "struck"
    struck.mkdir()
    with pytest.raises(LaneError, match=r"3 workers failed at link-0-.*: No space left on device"):
        execute(client, run, functools.partial(FaultyBed, FullDisk(at(), struck, most=9)))
    assert len({path.name.partition("-")[0] for path in struck.iterdir()}) == 3


def test_a_defect_is_reported_with_its_words(client: Any, run: Run, tmp_path: Path) -> None:
    struck = tmp_path / "struck"
    struck.mkdir()
    with pytest.raises(LaneError, match="ZeroDivisionError: a defect"):
        execute(client, run, functools.partial(FaultyBed, Defect(at(), struck, most=9)))


def test_samples_that_are_not_those_of_the_task_are_refused(
    client: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pqbed.cluster import execute_on_cluster
    from pqbed.cluster.task_result import unpack_samples

    def unpack_one_less(table: bytes) -> pl.DataFrame:
        return unpack(table)[1:]

    unpack = unpack_samples
    monkeypatch.setattr(execute_on_cluster, "unpack_samples", unpack_one_less)
    with pytest.raises(StoreError, match="samples that are not the"):
        execute(client, run)
    assert not held(run)


@pytest.mark.uml
def test_guests_of_workers_take_the_samples_of_a_guest_here(tmp_path: Path) -> None:
    """Within the microsecond that libcurl counts in, as between any two lanes."""
    grid = ["sweep", "--bed", "uml", "--rtt", "35", "--loss", "0,3", "--bandwidth", "1", "--size", "0,20", "--no-aa"]
    times = []
    for where in (["--lanes", "1"], ["--cluster", "local:2"]):
        out = tmp_path / where[0]
        command = [sys.executable, "-m", "pqbed_cli", *grid, "--samples", "4", "--calibrate", "off", *where]
        subprocess.run([*command, "--out", str(out)], check=True, capture_output=True, timeout=300)
        with open_run(next(out.iterdir())) as run:
            times.append(run.samples().sort("cell_id", "repetition").collect())
    here, there = times
    assert here.select("cell_id", "repetition", "seed", "outcome", "retransmits").equals(
        there.select("cell_id", "repetition", "seed", "outcome", "retransmits")
    )
    assert (here["last_byte_ns"] - there["last_byte_ns"]).abs().max() <= 1000
