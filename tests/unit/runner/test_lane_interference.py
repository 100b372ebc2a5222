"""How many lanes a host keeps apart, on the real clock."""

import math
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pqbed.errors import LaneError
from pqbed.runner.lane_interference import FETCHES, check_lanes, most_agreeing, shortest_cell
from pqbed.spec.link import RandomLoss
from pqbed.stats.lane_interference import compare_lanes
from support.crowded import CrowdedBed
from support.sweeps import small_plan


def times(count: int, spread: float = 0.002, seed: int = 1) -> npt.NDArray[Any]:
    return 1e8 * (1 + spread * np.random.default_rng(seed).standard_normal(count))


def test_the_same_times_agree() -> None:
    trial = compare_lanes(times(40), np.concatenate([times(40, seed=2), times(40, seed=3)]), 2)
    assert trial.agrees
    assert trial.lanes == 2
    assert trial.p50_change_pct is not None
    assert abs(trial.p50_change_pct) < 0.1


@pytest.mark.parametrize("factor", [0.985, 1.015])
def test_medians_must_be_within_one_per_cent(factor: float) -> None:
    assert not compare_lanes(times(40), factor * times(80), 2).agrees


def test_a_longer_tail_is_a_disturbance_and_a_shorter_one_is_not() -> None:
    slow = times(80)
    slow[::8] *= 1.1  # an eighth of all: the median stays
    trial = compare_lanes(times(40), slow, 2)
    assert trial.p50_change_pct is not None
    assert abs(trial.p50_change_pct) < 1
    assert trial.p90_ns > trial.p90_alone_high_ns
    assert not trial.agrees
    assert compare_lanes(slow, times(80), 2).agrees


def test_below_36_fetches_the_medians_alone_count() -> None:
    slow = times(60)
    slow[::8] *= 1.1
    trial = compare_lanes(times(30), slow, 2)
    assert trial.p90_alone_high_ns is None
    assert trial.agrees


def test_where_most_fetches_fail_nothing_agrees() -> None:
    trial = compare_lanes(times(40), np.full(80, np.inf), 2)
    assert (trial.agrees, trial.p50_change_pct, trial.p90_ns) == (False, None, None)


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 7, 16])
def test_the_most_lanes_that_agree_are_found_by_halving(lanes: int) -> None:
    for limit in range(1, lanes + 1):
        tried: list[Any] = []

        def agrees(count: int, tried: list[int] = tried, limit: int = limit) -> bool:
            tried.append(count)
            return count <= limit

        assert most_agreeing(lanes, agrees) == limit
        assert len(tried) <= 1 + math.ceil(math.log2(lanes))


def test_the_shortest_cell_is_the_baselines_without_loss_if_there_is_one() -> None:
    plan = small_plan(loss=(RandomLoss(probability_ppm=10_000), RandomLoss()))
    cell = plan.cells[shortest_cell(plan)]
    assert (cell.profile.name, cell.link.rtt_ns, cell.workload.size_bytes) == ("classic", 35_000_000, 0)
    assert cell.link.loss == RandomLoss()
    lossy = small_plan(loss=(RandomLoss(probability_ppm=10_000),))
    assert lossy.cells[shortest_cell(lossy)].link.rtt_ns == 35_000_000


@pytest.mark.parametrize(("room", "lanes", "taken"), [(1, 2, 1), (2, 2, 2), (2, 4, 2), (4, 4, 4)])
def test_as_many_lanes_are_taken_as_do_not_disturb_one_another(room: int, lanes: int, taken: int) -> None:
    bed = CrowdedBed(room)
    check = check_lanes(small_plan(), bed, lanes, compare_lanes)
    assert (check.asked, check.taken, check.fetches) == (lanes, taken, FETCHES)
    assert check.trials[0].lanes == lanes
    assert check.trials[0].agrees == (room >= lanes)
    assert len(bed.opened) == lanes
    assert all(lane.closed for lane in bed.opened)


def test_it_takes_seconds_whatever_a_fetch_takes() -> None:
    begun = time.monotonic()
    check = check_lanes(small_plan(), CrowdedBed(2, pause_s=0.1), 2, compare_lanes, phase_s=0.15)
    assert check.fetches == 2
    assert time.monotonic() - begun < 30


def test_a_lane_that_dies_is_told_and_all_are_closed() -> None:
    bed = CrowdedBed(2)
    bed.die_at = range(20, 1000)
    with pytest.raises(LaneError):
        check_lanes(small_plan(), bed, 2, compare_lanes)
    assert all(lane.closed for lane in bed.opened)
