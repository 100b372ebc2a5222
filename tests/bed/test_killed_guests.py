"""Guests killed in the middle of a sweep: every planned fetch has one sample, and none of them failed."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pqbed.beds.agent_lane import AgentLane
from pqbed.beds.lane_process import PlainProcess
from pqbed.beds.make_bed import make_uml
from pqbed.runner import SampleTaken, SweepEvent, SweepOutcome, run_sweep
from pqbed.store.run_directory import Run
from support.sweeps import held, new_run, planned, small_plan

pytestmark = [pytest.mark.uml, pytest.mark.timeout(900)]

PLAN = small_plan(samples=5)


def sweep(
    run: Run, monkeypatch: pytest.MonkeyPatch, on_event: Callable[[SweepEvent, dict[int, int]], None]
) -> SweepOutcome:
    """Sweep in virtual time on two guests that are processes; `on_event` gets their process ids by lane."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock")
    bed = make_uml("virtual", lambda *_: None, None)
    bed.prepare()
    pids: dict[int, int] = {}
    open_lane = bed.open_lane

    def open_and_note(index: int, *arguments: object) -> AgentLane:
        lane = open_lane(index, *arguments)  # type: ignore[arg-type]
        assert isinstance(lane, AgentLane)
        assert isinstance(lane.process, PlainProcess)
        pids[index] = lane.process.pid
        return lane

    monkeypatch.setattr(bed, "open_lane", open_and_note)
    return run_sweep(PLAN, bed, run, lanes=2, calibrate="off", on_event=lambda event: on_event(event, pids))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    with pytest.MonkeyPatch.context() as patch, new_run(tmp_path_factory.mktemp("whole")) as run:
        sweep(run, patch, lambda *_: None)
        return run.samples().sort("cell_id", "repetition").collect()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_sweep_whose_guests_are_killed_ends_with_exactly_its_samples(
    undisturbed: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    strikes = sorted(draw.sample(range(1, 36), 3))
    taken = 0

    def strike(event: SweepEvent, pids: dict[int, int]) -> None:
        nonlocal taken
        if isinstance(event, SampleTaken):
            taken += 1
            if taken in strikes:
                os.killpg(pids[event.sample.lane], signal.SIGKILL)

    with new_run(tmp_path) as run:
        outcome = sweep(run, monkeypatch, strike)
        samples = run.samples().sort("cell_id", "repetition").collect()
        assert held(run) == planned(PLAN)
    assert (outcome.state, outcome.not_ok, outcome.lost) == ("finished", 0, 0)
    assert set(samples["outcome"]) == {"ok"}
    assert samples["seed"].to_list() == undisturbed["seed"].to_list()
    apart = (samples["last_byte_ns"] - undisturbed["last_byte_ns"]).abs().max()
    assert isinstance(apart, int)
    assert apart <= 10_000
