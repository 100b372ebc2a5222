"""Mixtures of cells: their percentiles and means by hand, their intervals against the truth, and what is compared."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from pqbed.plan import plan_sweep
from pqbed.spec.cell import Cell
from pqbed.spec.mixture_tables import mixture_from, resumed_mixture
from pqbed.spec.sweep_toml import sweep_from
from pqbed.stats.mixture_estimates import mixed_mean, mixed_quantiles
from pqbed.stats.mixtures import Mixed, mix_cells
from pqbed.stats.quantiles import quantile_interval
from pqbed.store.cells_table import tabulate_cells

FAST, SLOW = np.full(40, 10.0), np.full(40, 30.0)


def test_a_percentile_is_a_time_that_some_connection_had() -> None:
    values = np.stack([FAST, SLOW])
    points = [one.point for one in mixed_quantiles(values, [0.8, 0.2], [0.5, 0.8, 0.81, 0.99], 100, 1)]
    assert points == [10.0, 10.0, 30.0, 30.0]
    assert mixed_mean(values, [0.8, 0.2], 100, 1).point == 14.0


def test_a_mixture_of_one_part_is_that_part() -> None:
    values = np.random.default_rng(1).exponential(size=(2, 101))
    (median,) = mixed_quantiles(values, [1.0, 0.0], [0.5], 200, 1)
    assert median.point == np.median(values[0])
    assert mixed_mean(values, [1.0, 0.0], 200, 1).point == pytest.approx(values[0].mean())


def test_shares_not_numbers_of_samples_decide() -> None:
    values = np.stack([np.arange(100.0), np.arange(100.0) + 1000])
    (tenth,) = mixed_quantiles(values, [0.1, 0.9], [0.1], 100, 1)
    assert tenth.point == 99.0
    (more,) = mixed_quantiles(values, [0.1, 0.9], [0.55], 100, 1)
    assert more.point == 1049.0


def test_a_failed_fetch_hides_what_is_above_it() -> None:
    values = np.stack([FAST, np.concatenate([SLOW[:20], np.full(20, np.inf)])])
    half, most = mixed_quantiles(values, [0.5, 0.5], [0.5, 0.9], 200, 1)
    assert half.point == 10.0
    assert np.isinf(most.point)
    assert np.isinf(mixed_mean(values, [0.5, 0.5], 200, 1).point)


def test_a_percentile_at_the_end_of_a_part_has_no_interval() -> None:
    values = np.random.default_rng(2).exponential(size=(2, 40))
    half, last = mixed_quantiles(values, [0.8, 0.2], [0.5, 0.995], 200, 1)
    assert half.interval is not None
    assert last.interval is None
    assert np.isinf(last.high)


def test_the_interval_of_one_part_is_that_of_order_statistics() -> None:
    values = np.arange(1.0, 101.0)[np.newaxis]
    (median,) = mixed_quantiles(values, [1.0], [0.5], 4_000, 1)
    low, high = quantile_interval(values[0], 0.5)
    assert median.low == pytest.approx(low, abs=1)
    assert median.high == pytest.approx(high, abs=1)


@pytest.mark.parametrize("q", [0.5, 0.9])
def test_intervals_hold_the_truth_as_often_as_they_say(q: float) -> None:
    generator = np.random.default_rng(5)
    shares, scales = [0.8, 0.2], [1.0, 3.0]

    def draw(count: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
        common = generator.exponential(size=count)  # parts share the noise of a block
        return np.stack([scale * (0.5 * common + 0.5 * generator.exponential(size=count)) for scale in scales])

    many = draw(200_000)
    (truth,) = (one.point for one in mixed_quantiles(many, shares, [q], 1, 1)[:1])
    held = 0
    for run in range(200):
        (one,) = mixed_quantiles(draw(80), shares, [q], 200, run)
        assert one.interval is not None
        held += one.interval[0] <= truth <= one.interval[1]
    assert held >= 182


def test_more_blocks_than_units_are_drawn_in_groups() -> None:
    values = np.random.default_rng(3).exponential(size=(2, 5_000))
    (median,) = mixed_quantiles(values, [0.5, 0.5], [0.5], 100, 1)
    low, high = median.interval or (0.0, 0.0)
    assert low < median.point < high
    mean = mixed_mean(values, [0.5, 0.5], 100, 1)
    assert mean.draws is not None
    assert mean.draws.std() == pytest.approx(values.mean(axis=0).std() / np.sqrt(5_000), rel=0.3)


def mix(request: dict[str, Any], time_of: Callable[[Cell], float], blocks: int = 40, **more: Any) -> list[Mixed]:
    """Mix the cells of a sweep whose fetches take `time_of` and, by block, 0 to `blocks` - 1 ns more."""
    sweep, _ = sweep_from({"aa": False, "rtt": "35ms", "bandwidth": "none", "size": "0KiB", **request})
    plan = plan_sweep(sweep)
    cells = tabulate_cells(plan, {})
    rows = [
        {"cell_id": name, "block": block, "outcome": "ok", "clock": "virtual", "last_byte_ns": time_of(cell) + block}
        for name, cell in plan.cells.items()
        for block in range(blocks)
    ]
    samples = pl.LazyFrame(rows)
    return mix_cells(samples, cells, sweep.mixtures, [50.0], baseline=sweep.profiles[0].name, draws=200, **more)


def full_or_resumed(cell: Cell) -> float:
    pq = cell.profile.name == "pq" and cell.workload.connection.kind == "full"
    return 1e9 + 1e9 * pq


def test_each_profile_is_mixed_and_compared_with_the_mixture_of_the_baseline() -> None:
    classical, pq = mix({"profile": "classical,pq", "resumed_share": 0.8}, full_or_resumed)
    assert (classical.arm, classical.baseline, pq.arm, pq.baseline) == ("classical", None, "pq", "classical")
    assert [(part.text, part.share) for part in pq.parts] == [("full", pytest.approx(0.2)), ("resumed", 0.8)]
    median, mean = pq.statistic("p50"), pq.statistic("mean")
    assert median.estimate.point < 1.0001e9
    assert mean.estimate.point == pytest.approx(1.2e9 + 19.5)
    assert mean.increase is not None
    assert mean.increase.point == pytest.approx(20.0, abs=1e-4)
    assert classical.statistic("mean").increase is None
    assert pq.parts[0].base_values is not None
    assert pq.parts[0].base_values["p50"] < 1.0001e9


def test_sizes_and_links_are_mixed_by_the_products_of_their_shares() -> None:
    mixtures = {"fleet": {"rtt": {"20ms": 0.25, "100ms": 0.75}, "size": {"0B": "50%", "50KiB": "50%"}}}
    request = {"profile": "classical,pq", "mixtures": mixtures, "rtt": None, "size": None}
    classical, pq = mix(request, lambda cell: cell.link.rtt_ns + 1000 * cell.workload.size_bytes)
    assert [part.share for part in pq.parts] == [0.125, 0.125, 0.375, 0.375]
    assert classical.statistic("mean").estimate.point == pytest.approx(80e6 + 25_600e3 + 19.5)


def test_a_mixture_of_profiles_is_an_arm_against_the_plain_baseline() -> None:
    mixtures = {"stale": {"profile": {"pq": 0.1, "hybrid": 0.9}}}
    times = {"classical": 1e9, "hybrid": 1e9, "pq": 2e9}
    request = {"profile": "classical,hybrid,pq", "mixtures": mixtures}
    (stale,) = mix(request, lambda cell: times[cell.profile.name])
    assert (stale.arm, stale.baseline) == ("stale", "classical")
    change = stale.statistic("mean").increase
    assert change is not None
    assert change.point == pytest.approx(10.0, abs=1e-4)


def test_the_noise_floor_is_that_of_two_mixtures_of_one_arm() -> None:
    def time_of(cell: Cell) -> float:
        return 1e9 * (1.01 if cell.profile.copy_of else 1.0)

    _, pq = mix({"profile": "classical,pq", "resumed_share": "50%", "aa": True}, time_of)
    assert pq.statistic("p50").noise_pct == pytest.approx(1.0, abs=1e-4)
    assert pq.statistic("p50").finding == "equivalent"


def test_conditions_that_lack_a_part_are_not_mixed() -> None:
    sweep, _ = sweep_from({"profile": "classical", "connection": "full", "samples": 6})
    cells = tabulate_cells(plan_sweep(sweep), {})
    rows = {"cell_id": [cells["cell_id"][0]], "block": [0], "outcome": ["ok"], "clock": ["real"], "last_byte_ns": [1]}
    assert mix_cells(pl.LazyFrame(rows), cells, [resumed_mixture(500_000)], [50.0], baseline="classical") == []


def test_a_mixture_reads_back() -> None:
    mixture = mixture_from("one", {"connection": {"full": "0.25", "resumed": "75%"}})
    assert mixture.describe() == "75% resumed, 25% full"
