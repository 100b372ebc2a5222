"""A sweep with a precision: each comparison goes on until it is precise, whatever the lanes."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pqbed.beds.fake_bed import FakeBed, FakeLane
from pqbed.duration.checkpoints import FEWEST_BLOCKS, blocks_expected, checkpoints
from pqbed.duration.forecast import Forecast
from pqbed.runner import CheckpointReached, SampleTaken, run_sweep
from pqbed.runner.adaptive_sampling import AdaptiveBlocks
from pqbed.spec.cell import Cell
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch, Timings
from pqbed.stats.comparison_precision import half_widths
from pqbed.store.run_directory import Run
from support.sweeps import held, new_run, planned, precise_plan, small_plan

PRECISION_PPM = 30_000


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with new_run(tmp_path) as made:
        yield made


class DrawnBed(FakeBed):
    """Its lanes take as long as `draw` says: of a random stream of the fetch and its cell, and the cell."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        super().__init__()
        self.draw = draw

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> "DrawnLane":
        return DrawnLane(self, index, profiles, timeout_ns)


class DrawnLane(FakeLane):
    _bed: DrawnBed

    def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
        for fetch in fetches:
            stream = random.Random(f"{fetch.seed}/{fetch.cell_id}")
            ttlb_ns = round(self._bed.draw(stream, cells[fetch.cell_id]))
            yield fetch, Timings(outcome="ok", tls_done_ns=ttlb_ns // 2, last_byte_ns=ttlb_ns)


def quiet(_stream: random.Random, cell: Cell) -> float:
    return 1e9 * (1.2 if cell.profile.name == "pq" else 1)


def heavy(stream: random.Random, cell: Cell) -> float:
    """As over a lossy link: some fetches lose packets, and wait for time-outs that have a heavy tail."""
    lost = sum(stream.random() < 0.1 for _ in range(10))
    wait = sum(2e8 * stream.paretovariate(1.8) for _ in range(lost))
    return quiet(stream, cell) + stream.expovariate(1 / 3e7) + wait


def samples_by_cell(run: Run) -> Counter[str]:
    return Counter(cell for cell, _ in held(run))


@pytest.mark.parametrize("most", [1, 19, 20, 21, 1000, 1_000_000])
def test_checkpoints_are_a_quarter_apart_and_end_at_the_most(most: int) -> None:
    points = checkpoints(most)
    assert points[0] == min(most, FEWEST_BLOCKS)
    assert points[-1] == most
    assert all(one < other <= 1.25 * one for one, other in itertools.pairwise(points))


def test_widths_are_expected_to_shrink_with_the_root_of_the_samples() -> None:
    assert blocks_expected(20, 2.0, 1.0, 1000) == next(point for point in checkpoints(1000) if point >= 80)
    assert blocks_expected(20, 1.0, 2.0, 1000) == 25, "a checkpoint that was reached is not expected again"
    assert blocks_expected(20, 1.01, 1.0, 1000) == 25
    assert blocks_expected(20, float("inf"), 1.0, 1000) == 1000
    assert blocks_expected(20, 100.0, 1.0, 1000) == 1000


def test_without_spread_it_ends_at_the_first_checkpoint(run: Run) -> None:
    plan = precise_plan(100, samples=1000)
    outcome = run_sweep(plan, DrawnBed(quiet), run, lanes=2, half_widths=half_widths)
    assert set(samples_by_cell(run).values()) == {FEWEST_BLOCKS}
    assert (outcome.state, outcome.planned, outcome.taken) == ("finished", 160, 160)


def test_a_noisy_comparison_goes_on_alone(run: Run) -> None:
    def draw(stream: random.Random, cell: Cell) -> float:
        return (heavy if cell.workload.size_bytes and cell.link.rtt_ns == 200_000_000 else quiet)(stream, cell)

    plan = precise_plan(PRECISION_PPM, samples=400)
    run_sweep(plan, DrawnBed(draw), run, lanes=1, half_widths=half_widths)
    taken = samples_by_cell(run)
    noisy = [one for one in plan.comparisons if taken[one[0]] > FEWEST_BLOCKS]
    assert len(noisy) == 1
    assert all(len({taken[cell] for cell in one}) == 1 for one in plan.comparisons)
    assert taken[noisy[0][0]] in checkpoints(400)


def widths_by_samples(run: Run, comparison: tuple[str, ...], most: int) -> dict[int, float]:
    """The half width that the first n blocks give, for every n from the fewest on."""
    samples = run.samples().collect()
    blocks = range(FEWEST_BLOCKS, most + 1)
    return {n: half_widths(samples.lazy().filter(samples["block"] < n), [comparison])[0] for n in blocks}


@pytest.mark.parametrize(("draw", "precision_ppm", "most"), [(heavy, 80_000, 200), (quiet, 10_000, 40)])
def test_at_most_1_3_times_the_samples_of_an_oracle(
    tmp_path: Path, draw: Callable[..., Any], precision_ppm: int, most: int
) -> None:
    """The oracle knows from a long run of the same seeds from which n on the first n blocks are precise."""
    one = {"rtt_ns": (35_000_000,), "size_bytes": (0,), "samples": most}
    with new_run(tmp_path) as run:
        run_sweep(small_plan(**one), DrawnBed(draw), run, lanes=1)
        [comparison] = small_plan(**one).comparisons
        widths = widths_by_samples(run, comparison, most)
    wide = [n for n, width in widths.items() if width > precision_ppm / 10_000]
    oracle = max(wide, default=FEWEST_BLOCKS - 1) + 1
    assert oracle < most / 1.3
    with new_run(tmp_path) as run:
        run_sweep(small_plan(**one, precision_ppm=precision_ppm), DrawnBed(draw), run, lanes=2, half_widths=half_widths)
        taken = samples_by_cell(run)[comparison[0]]
        assert half_widths(run.samples(), [comparison])[0] <= precision_ppm / 10_000
    assert taken <= 1.3 * oracle
    assert draw is quiet or taken > FEWEST_BLOCKS


def test_the_lanes_do_not_change_what_is_fetched(tmp_path: Path) -> None:
    tables = []
    for lanes in (1, 2, 5):
        with new_run(tmp_path) as run:
            run_sweep(precise_plan(PRECISION_PPM), FakeBed(), run, lanes=lanes, half_widths=half_widths)
            tables.append(run.samples().drop("lane").sort("block", "cell_id").collect())
    assert len({table["repetition"].max() for table in tables}) == 1
    assert all(table.equals(tables[0]) for table in tables)
    assert 4 * FEWEST_BLOCKS * 2 < tables[0].height < 8 * 100


def test_an_interrupted_one_goes_on_to_the_same_samples(tmp_path: Path) -> None:
    plan = precise_plan(PRECISION_PPM)
    with new_run(tmp_path) as run:
        run_sweep(plan, FakeBed(), run, lanes=2, half_widths=half_widths)
        expected = held(run)
    for after in (1, 159, 160, 161, len(expected) - 1):
        with new_run(tmp_path) as run:
            stop = threading.Event()
            seen: Counter[str] = Counter()

            def count(event: Any, seen: Counter[str] = seen, stop: threading.Event = stop, after: int = after) -> None:
                seen[type(event)] += 1
                if seen[SampleTaken] >= after:
                    stop.set()

            outcome = run_sweep(
                plan, FakeBed(sleep_s=0.0005), run, lanes=2, half_widths=half_widths, on_event=count, stop=stop
            )
            assert outcome.taken >= after
            assert (outcome.state == "finished") == (held(run) == expected)
            again = run_sweep(plan, FakeBed(), run, lanes=3, half_widths=half_widths)
            assert held(run) == expected
            assert (again.state, again.planned, again.taken) == ("finished", len(expected), len(expected))


def test_what_is_never_precise_ends_at_the_most(run: Run) -> None:
    outcome = run_sweep(precise_plan(100, samples=30), FakeBed(), run, lanes=2, half_widths=half_widths)
    assert held(run) == planned(small_plan(samples=30))
    assert outcome.state == "finished"


def test_where_every_fetch_of_an_arm_fails_nothing_is_known_and_the_most_is_taken(run: Run) -> None:
    plan, bed = precise_plan(PRECISION_PPM, samples=26), FakeBed(fail_at=range(10_000))
    outcome = run_sweep(plan, bed, run, lanes=1, half_widths=half_widths)
    assert outcome.taken == 26 * 8
    assert len(outcome.failed_cells) == 8


def test_a_finished_run_opens_no_lane(run: Run) -> None:
    plan = precise_plan(PRECISION_PPM)
    run_sweep(plan, FakeBed(), run, lanes=2, half_widths=half_widths)

    class NoLanes(FakeBed):
        def open_lane(self, *_: object, **__: object) -> FakeLane:
            raise AssertionError

    assert run_sweep(plan, NoLanes(), run, lanes=2, half_widths=half_widths).state == "finished"


def test_looks_tell_what_is_left(run: Run) -> None:
    events: list[Any] = []
    plan = precise_plan(PRECISION_PPM)
    run_sweep(plan, FakeBed(), run, lanes=2, half_widths=half_widths, on_event=events.append)
    looks = [event for event in events if isinstance(event, CheckpointReached)]
    assert [look.blocks for look in looks] == list(checkpoints(100))[: len(looks)]
    assert not looks[-1].left
    assert looks[-1].expected == len(held(run))
    assert all(look.expected > 160 for look in looks[:-1])


def test_blocks_are_handed_out_only_up_to_the_checkpoint(run: Run) -> None:
    plan = precise_plan(PRECISION_PPM)
    staged = AdaptiveBlocks(plan, run, set(), half_widths)
    never = threading.Event()
    first = [staged.take(never) for _ in range(FEWEST_BLOCKS)]
    assert [block[0].block for block in first] == list(range(FEWEST_BLOCKS))
    never.set()
    assert staged.take(never) is None


def test_the_forecast_learns_what_each_cell_costs() -> None:
    forecast = Forecast(2, small_plan(samples=10))
    forecast.look({"quick": 10, "slow": 10, "new": 10})
    for lane in (0, 1):
        forecast.taken(lane, "quick", 100.0)  # the first of a lane: when it began is not known
        forecast.taken(lane, "quick", 101.0)
        forecast.taken(lane, "slow", 106.0)
    assert forecast.seconds_left() == pytest.approx((6 * 1 + 8 * 5 + 10 * 3) / 2)


def test_before_the_first_look_the_forecast_knows_nothing_of_the_end() -> None:
    plan = small_plan(samples=10)
    forecast = Forecast(1, plan)
    first, *_ = plan.cells
    forecast.taken(0, first, 0.0)
    forecast.taken(0, first, 2.0)
    assert forecast.seconds_left() == pytest.approx((80 - 2) * 2)
