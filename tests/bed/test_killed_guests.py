"""Guests killed in the middle of a sweep: every planned fetch has one sample, and none of them failed."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pqbed.beds.agent_lane import AgentLane
from pqbed.beds.lane_process import PlainProcess
from pqbed.beds.make_bed import make_uml
from pqbed.plan import Plan
from pqbed.runner import LaneFailed, SampleTaken, SweepEvent, SweepOutcome, run_sweep
from pqbed.spec.run_options import Clock
from pqbed.store.run_directory import Run
from support.sweeps import held, new_run, planned, small_plan

pytestmark = [pytest.mark.uml, pytest.mark.timeout(900)]

PLAN = small_plan(samples=5)


def sweep(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    on_event: Callable[[SweepEvent, dict[int, int]], None],
    *,
    plan: Plan = PLAN,
    clock: Clock = "virtual",
    lanes: int = 2,
) -> SweepOutcome:
    """Sweep on guests that are processes; `on_event` gets their process ids by lane."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock")
    bed = make_uml(clock, lambda *_: None, None)
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
    return run_sweep(plan, bed, run, lanes=lanes, calibrate="off", on_event=lambda event: on_event(event, pids))


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


def test_the_fetch_during_which_a_guest_on_the_real_clock_was_stopped_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped_s = 5.0
    failures: list[str] = []
    struck = False

    def strike(event: SweepEvent, pids: dict[int, int]) -> None:
        nonlocal struck
        if isinstance(event, LaneFailed):
            failures.append(event.detail)
        if isinstance(event, SampleTaken) and not struck:
            struck = True
            os.killpg(pids[0], signal.SIGSTOP)
            time.sleep(stopped_s)
            os.killpg(pids[0], signal.SIGCONT)

    plan = small_plan(samples=1)
    with new_run(tmp_path) as run:
        outcome = sweep(run, monkeypatch, strike, plan=plan, clock="real", lanes=1)
        samples = run.samples().collect()
        assert held(run) == planned(plan)
    assert failures == ["lane 0 was stopped by a signal during a fetch"]
    assert (outcome.not_ok, outcome.lost) == (0, 0)
    longest = samples["last_byte_ns"].max()
    assert isinstance(longest, int)
    assert longest < stopped_s * 1e9
