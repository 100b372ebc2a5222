"""Tasks cover what a run lacks, each fetch once, and keep pairs together."""

from pathlib import Path

import pytest

from pqbed.cluster.finished_fetches import FinishedFetches, finished_of
from pqbed.cluster.tasks import TASK_S, Task, blocks_per_task, lay_out_tasks
from pqbed.duration.estimate import fetch_seconds
from pqbed.plan import Plan
from support.sweeps import new_run, planned, sample, small_plan


def tasks_of(plan: Plan, finished: FinishedFetches | None = None, workers: int = 2) -> list[Task]:
    finished = finished or FinishedFetches(plan)
    return list(lay_out_tasks(plan, "virtual", finished, calibrated=frozenset(), workers=workers))


@pytest.mark.parametrize("workers", [1, 3, 1000])
def test_every_fetch_is_in_one_task_with_its_seed(workers: int) -> None:
    plan = small_plan()
    fetches = [fetch for task in tasks_of(plan, workers=workers) for block in task.blocks(plan) for fetch in block]
    assert sorted((fetch.cell_id, fetch.repetition) for fetch in fetches) == planned(plan)
    assert set(fetches) == {fetch for block in plan.blocks() for fetch in block}


def test_arms_of_one_link_and_block_are_in_one_task() -> None:
    plan = small_plan()
    for task in tasks_of(plan):
        cells = set(list(plan.arms.values())[task.number])
        blocks = list(task.blocks(plan))
        assert len(blocks) == task.last - task.first
        assert all({fetch.cell_id for fetch in block} == cells for block in blocks)


def test_a_large_sweep_has_tasks_of_some_twenty_seconds() -> None:
    plan = small_plan(samples=100_000)
    for cells, blocks in zip(plan.arms.values(), blocks_per_task(plan, "virtual", 4), strict=True):
        block_s = sum(fetch_seconds(plan.cells[cell], "virtual") for cell in cells)
        assert TASK_S <= blocks * block_s < TASK_S + block_s


def test_a_link_is_calibrated_by_its_first_task() -> None:
    plan = small_plan()
    calibrated = [link for task in tasks_of(plan) for link in task.calibrate]
    assert sorted(calibrated) == sorted(plan.links)


def test_what_has_a_sample_is_left_out() -> None:
    plan = small_plan()
    finished = FinishedFetches(plan)
    taken = [(fetch.cell_id, fetch.repetition) for block in plan.blocks() for fetch in block][: len(plan.cells) + 3]
    for cell_id, repetition in taken:
        finished.mark(cell_id, repetition)
    left = [
        (fetch.cell_id, fetch.repetition)
        for task in tasks_of(plan, finished)
        for block in task.blocks(plan)
        for fetch in block
    ]
    assert sorted(left + taken) == planned(plan)
    assert finished.count == len(taken)


def test_samples_of_other_cells_are_named(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        run.journal(0).append(sample(0))
        assert finished_of(small_plan(), run).other_cells == {"c" * 12}
