"""A host that is suspended during a fetch: the fetch is repeated, and lost if it never gets through."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pqbed.beds.fake_bed import FakeBed
from pqbed.errors import LaneError
from pqbed.runner import LaneFailed, SweepEvent, run_sweep, suspended_host
from pqbed.runner.suspended_host import TOLERANCE_NS, SuspensionWatch
from support.sweeps import held, new_run, planned, small_plan

SECOND_NS = 1_000_000_000


@pytest.fixture
def suspend(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], int]], None]:
    """Set what the kernel says of the time suspended, by the number of the question."""

    def set_answers(answer: Callable[[int], int]) -> None:
        asked = 0

        def suspended_ns() -> int:
            nonlocal asked
            asked += 1
            return answer(asked)

        monkeypatch.setattr(suspended_host, "suspended_ns", suspended_ns)

    return set_answers


def test_a_suspension_is_seen_once_and_two_readings_apart_are_none(
    suspend: Callable[[Callable[[int], int]], None],
) -> None:
    suspend(lambda asked: [0, 0, TOLERANCE_NS, 5 * SECOND_NS, 5 * SECOND_NS][asked - 1])
    watch = SuspensionWatch()
    assert [watch.look() for _ in range(4)] == [0, 0, 5 * SECOND_NS - TOLERANCE_NS, 0]


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="needs Linux's clocks")
def test_this_host_is_not_suspended_while_it_runs() -> None:
    assert suspended_host.suspended_ns() >= 0
    assert SuspensionWatch().look() == 0


def test_the_fetch_during_which_the_host_was_suspended_is_repeated(
    suspend: Callable[[Callable[[int], int]], None], tmp_path: Path
) -> None:
    suspend(lambda asked: 30 * SECOND_NS if asked > 20 else 0)
    failures = []

    def note(event: SweepEvent) -> None:
        if isinstance(event, LaneFailed):
            failures.append(event.detail)

    plan = small_plan()
    with new_run(tmp_path) as run:
        outcome = run_sweep(plan, FakeBed(clock="real"), run, lanes=1, calibrate="off", on_event=note)
        assert held(run) == planned(plan)
    assert failures == ["the host was suspended for 30.0 s during a fetch"]
    assert (outcome.not_ok, outcome.lost) == (0, 0)


def test_in_virtual_time_a_suspension_changes_nothing(
    suspend: Callable[[Callable[[int], int]], None], tmp_path: Path
) -> None:
    suspend(lambda asked: asked * SECOND_NS)
    plan = small_plan()
    with new_run(tmp_path) as run:
        outcome = run_sweep(plan, FakeBed(), run, lanes=2, calibrate="off")
        assert held(run) == planned(plan)
    assert (outcome.state, outcome.lost) == ("finished", 0)


def test_a_host_that_is_suspended_all_the_time_loses_a_fetch_and_ends_the_sweep(
    suspend: Callable[[Callable[[int], int]], None], tmp_path: Path
) -> None:
    suspend(lambda asked: asked * SECOND_NS)
    with new_run(tmp_path) as run:
        with pytest.raises(LaneError, match=r"the host was suspended for 1\.0 s"):
            run_sweep(small_plan(), FakeBed(clock="real"), run, lanes=1, calibrate="off")
        rows = run.samples().collect()
    assert rows["outcome"].to_list() == ["lost"]
