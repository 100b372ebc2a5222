import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.beds.fake_bed import FakeBed, FakeLane
from pqbed.errors import EngineError, HostError, LaneError, StoreError
from pqbed.runner import (
    BlockDone,
    LaneClosed,
    LaneFailed,
    LaneOpened,
    SampleTaken,
    SweepStarted,
    run_sweep,
)
from pqbed.runner import lane_worker as worker_module
from pqbed.runner import lane_worker_pool as worker_pool_module
from pqbed.runner.lane_worker import FAILURE_LIMIT
from pqbed.spec.cell import Cell
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch, Timings
from pqbed.store.run_directory import Run, open_run
from support.sweeps import SWEEP, files, held, new_run, planned, small_plan


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with new_run(tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    deadline = time.monotonic() + 5
    while any(thread.name.startswith("lane-") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


class OtherLanes(FakeBed):
    """A fake bed whose lanes are of another class; it keeps those it opened."""

    def __init__(self, kind: type[Any], **options: Any) -> None:
        super().__init__(**options)
        self.kind = kind
        self.opened: list[Any] = []

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> Any:
        self.opened.append(self.kind(self, index, profiles, timeout_ns))
        return self.opened[-1]


class CountedLane(FakeLane):
    closings = 0

    def close(self) -> None:
        self.closings += 1
        super().close()


def outcomes(run: Run) -> dict[str, int]:
    return dict(run.samples().group_by("outcome").len().collect().rows())


@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_every_planned_fetch_has_one_sample(run: Run, lanes: int) -> None:
    plan = small_plan()
    bed = OtherLanes(CountedLane)
    outcome = run_sweep(plan, bed, run, lanes=lanes)
    assert held(run) == planned(plan)
    assert (outcome.state, outcome.exit_code) == ("finished", 0)
    assert (outcome.planned, outcome.taken, outcome.not_ok) == (48, 48, 0)
    assert not [name for name in files(run.path) if name.startswith("journal/")]
    assert bed.opened
    assert all(lane.closings == 1 for lane in bed.opened)


def test_a_block_stays_in_one_lane_and_in_order(run: Run) -> None:
    plan = small_plan()
    run_sweep(plan, FakeBed(sleep_s=0.001), run, lanes=3)
    table = run.samples().collect()
    assert table.group_by("block").agg(pl.col("lane").n_unique())["lane"].max() == 1
    for block in range(plan.block_count):
        taken = table.filter(pl.col("block") == block)["cell_id"].to_list()
        assert taken == [fetch.cell_id for fetch in plan.block(block)]


def test_the_same_sweep_gives_the_same_samples_on_any_lanes(tmp_path: Path) -> None:
    tables = []
    for lanes in (1, 3):
        with new_run(tmp_path) as run:
            run_sweep(small_plan(), FakeBed(), run, lanes=lanes)
            tables.append(run.samples().drop("lane").sort("block", "cell_id").collect())
    assert tables[0].equals(tables[1])


def test_events_tell_the_whole_story(run: Run) -> None:
    events: list[Any] = []
    run_sweep(small_plan(), FakeBed(), run, lanes=2, on_event=events.append)
    assert events[0] == SweepStarted(planned=48, finished=0, lanes=2)
    kinds = [type(event) for event in events]
    assert (kinds.count(SampleTaken), kinds.count(BlockDone), kinds.count(LaneClosed)) == (48, 6, 2)
    assert len({event.lane for event in events if isinstance(event, LaneOpened)}) == kinds.count(LaneOpened)


def test_events_come_in_the_thread_of_the_caller_and_after_the_sample_is_kept(run: Run) -> None:
    def check(event: Any) -> None:
        assert threading.current_thread() is threading.main_thread()
        if isinstance(event, SampleTaken):
            fetch = event.sample.fetch
            assert (fetch.cell_id, fetch.repetition) in run.finished()

    run_sweep(small_plan(samples=1), FakeBed(), run, lanes=2, on_event=check)


@pytest.mark.parametrize("die_at", [1, 4, 8, 9, 48])
def test_a_lane_that_dies_costs_no_fetch(run: Run, die_at: int) -> None:
    plan = small_plan()
    events: list[Any] = []
    bed = OtherLanes(CountedLane, die_at=[die_at])
    outcome = run_sweep(plan, bed, run, lanes=1, on_event=events.append)
    assert held(run) == planned(plan)
    assert outcomes(run) == {"ok": 48}
    assert [event.failures for event in events if isinstance(event, LaneFailed)] == [1]
    assert all(lane.closings == 1 for lane in bed.opened)
    assert (outcome.state, outcome.not_ok, outcome.lost) == ("finished", 0, 0)


def test_deaths_that_are_not_in_a_row_never_end_a_sweep(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "SETTLE_S", 0)
    outcome = run_sweep(small_plan(), FakeBed(die_at=range(2, 200, 2)), run, lanes=1)
    assert (outcome.state, outcome.not_ok, outcome.lost) == ("finished", 0, 0)
    assert outcomes(run) == {"ok": 48}
    assert held(run) == planned(small_plan())


def test_a_fetch_that_no_lane_survives_is_lost_and_the_sweep_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "SETTLE_S", 0)
    plan = small_plan()
    outcome = run_sweep(plan, FakeBed(die_at=(4, 5, 6, 20, 21)), run, lanes=1)
    assert (outcome.state, outcome.not_ok, outcome.lost) == ("finished", 0, 1)
    assert outcomes(run) == {"ok": 47, "lost": 1}
    lost = run.samples().filter(pl.col("outcome") == "lost").collect()
    assert lost["cell_id"].to_list() == [plan.block(0)[3].cell_id]
    assert lost["detail"].to_list() == ["lane 0 died at fetch 6, as requested"]
    assert held(run) == planned(plan)
    assert outcome.exit_code == 0


def test_a_cell_of_which_everything_is_lost_has_failed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "SETTLE_S", 0)
    plan = small_plan(samples=1)
    outcome = run_sweep(plan, FakeBed(die_at=(4, 5, 6)), run, lanes=1)
    assert outcome.failed_cells == (plan.block(0)[3].cell_id,)


def test_an_error_that_a_living_lane_answers_stays_a_failure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answering(FakeLane):
        def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
            for fetch, timings in super().run(cells, fetches):
                if timings.outcome == "reset":
                    raise LaneError("the agent failed: ValueError()")
                yield fetch, timings

    monkeypatch.setattr(worker_module, "SETTLE_S", 0)
    outcome = run_sweep(small_plan(), OtherLanes(Answering, fail_at=[5], fail_with="reset"), run, lanes=1)
    assert outcomes(run) == {"ok": 47, "server_down": 1}
    assert (outcome.not_ok, outcome.lost) == (1, 0)


def test_a_lane_that_does_not_come_back_ends_the_sweep_and_what_was_measured_is_kept(run: Run) -> None:
    plan = small_plan()
    with pytest.raises(LaneError, match=f"failed {FAILURE_LIMIT} times in a row") as raised:
        run_sweep(plan, FakeBed(die_at=range(11, 1000)), run, lanes=1)
    assert "fetch 15" in raised.value.message  # the first is lost after three tries, the next after two more gives up
    assert raised.value.hint
    assert outcomes(run) == {"ok": 10, "lost": 1}
    assert not list((run.path / "journal").iterdir())
    assert run_sweep(plan, FakeBed(), run, lanes=2).state == "finished"
    assert held(run) == planned(plan)


def test_a_lane_that_cannot_be_opened_is_tried_again_and_no_sample_is_blamed(run: Run) -> None:
    class Shy(FakeBed):
        refusals = FAILURE_LIMIT - 1

        def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> FakeLane:
            if self.refusals:
                self.refusals -= 1
                raise LaneError("no answer from the guest")
            return super().open_lane(index, profiles, timeout_ns)

    run_sweep(small_plan(), Shy(), run, lanes=1)
    assert outcomes(run) == {"ok": 48}


@pytest.mark.parametrize("error", [HostError("no netem", "use --bed uml"), EngineError("no engine"), ValueError("bug")])
def test_what_reopening_cannot_mend_ends_the_sweep_at_once(run: Run, error: Any) -> None:
    class Broken(FakeBed):
        def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> FakeLane:
            if index == 1:
                raise error
            return super().open_lane(index, profiles, timeout_ns)

    with pytest.raises(type(error)) as raised:
        run_sweep(small_plan(samples=200), Broken(sleep_s=0.001), run, lanes=2)
    assert raised.value is error
    assert len(held(run)) == len(set(held(run))) < 1600
    assert not list((run.path / "journal").iterdir())


@pytest.mark.parametrize("skew", [lambda pairs: pairs[:5], lambda pairs: pairs[::-1], lambda pairs: [*pairs, pairs[0]]])
def test_a_lane_that_answers_out_of_turn_cannot_spoil_a_run(run: Run, skew: Callable[..., Any]) -> None:
    class Skewed(FakeLane):
        skewed = False

        def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
            pairs = list(super().run(cells, fetches))
            if not Skewed.skewed:
                Skewed.skewed = True
                pairs = skew(pairs)
            yield from pairs

    run_sweep(small_plan(), OtherLanes(Skewed), run, lanes=1)
    assert held(run) == planned(small_plan())


def test_failures_are_samples_and_cells_without_a_good_one_are_told(run: Run) -> None:
    plan = small_plan(samples=1)
    outcome = run_sweep(plan, FakeBed(fail_at=[3], fail_with="wrong_group"), run, lanes=1)
    assert outcomes(run) == {"ok": 7, "wrong_group": 1}
    assert outcome.failed_cells == (plan.block(0)[2].cell_id,)
    assert outcome.exit_code == 4


def interrupt_after(number: int) -> Callable[..., Any]:
    def count(event: Any, seen: list[SampleTaken] = []) -> None:  # noqa: B006 - the count lives as long as the function
        if isinstance(event, SampleTaken):
            seen.append(event)
            if len(seen) == number:
                raise KeyboardInterrupt

    return count


def test_an_interrupt_keeps_what_was_measured_and_the_next_goes_on(run: Run) -> None:
    plan = small_plan(samples=30)
    bed = OtherLanes(CountedLane, sleep_s=0.002)
    outcome = run_sweep(plan, bed, run, lanes=2, on_event=interrupt_after(10))
    assert (outcome.state, outcome.exit_code) == ("interrupted", 130)
    assert 10 <= outcome.taken < plan.fetch_count
    assert outcomes(run) == {"ok": outcome.taken}
    assert not list((run.path / "journal").iterdir())
    assert all(lane.closings >= 1 for lane in bed.opened)
    assert run.manifest.state == "interrupted"
    events: list[Any] = []
    again = run_sweep(plan, FakeBed(), run, lanes=2, on_event=events.append)
    assert events[0].finished == outcome.taken
    assert sum(isinstance(event, SampleTaken) for event in events) == plan.fetch_count - outcome.taken
    assert again.state == "finished"
    assert held(run) == planned(plan)


def test_a_stop_event_ends_a_sweep_and_is_left_as_it_was(run: Run) -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    outcome = run_sweep(small_plan(samples=1000), FakeBed(sleep_s=0.002), run, lanes=2, stop=stop)
    assert outcome.state == "interrupted"
    other = threading.Event()
    run_sweep(small_plan(samples=1), FakeBed(), run, lanes=1, stop=other)
    assert not other.is_set()


def test_a_fetch_that_hangs_is_cut_short_by_a_stop(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool_module, "GRACE_S", 0.1)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    started = time.monotonic()
    outcome = run_sweep(small_plan(), FakeBed(sleep_s=600), run, lanes=2, stop=stop)
    assert time.monotonic() - started < 10
    assert (outcome.state, outcome.taken) == ("interrupted", 0)


def test_a_listener_that_fails_ends_the_sweep_with_its_own_error(run: Run) -> None:
    def fail(event: Any) -> None:
        if isinstance(event, SampleTaken):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_sweep(small_plan(samples=500), FakeBed(sleep_s=0.001), run, lanes=2, on_event=fail)
    assert held(run)
    assert not list((run.path / "journal").iterdir())


def test_nothing_is_opened_where_nothing_is_left_to_do(run: Run) -> None:
    plan = small_plan()
    run_sweep(plan, FakeBed(), run, lanes=2)
    cells = run.cells().collect()
    bed = OtherLanes(FakeLane)
    assert run_sweep(plan, bed, run, lanes=2).state == "finished"
    assert bed.opened == []
    assert run.cells().collect().equals(cells)


def test_more_samples_may_be_asked_for_later(run: Run) -> None:
    run_sweep(small_plan(), FakeBed(), run, lanes=1)
    run_sweep(small_plan(samples=9), FakeBed(), run, lanes=1)
    assert held(run) == planned(small_plan(samples=9))


def test_a_run_of_another_sweep_is_refused(run: Run) -> None:
    run_sweep(small_plan(), FakeBed(), run, lanes=1)
    with pytest.raises(StoreError, match="not in this sweep"):
        run_sweep(small_plan(rtt_ns=(1_000_000,)), FakeBed(), run, lanes=1)


def test_two_sweeps_cannot_write_one_run(run: Run) -> None:
    with pytest.raises(StoreError, match="another process"):
        run_sweep(small_plan(), FakeBed(), open_run(run.path), lanes=1)


def test_the_cells_table_holds_what_was_asked_and_what_was_confirmed(run: Run) -> None:
    class Mismatched(FakeLane):
        def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
            for fetch, timings in super().run(cells, fetches):
                wrong = cells[fetch.cell_id].link.rtt_ns == 200_000_000 and fetch.block == 1
                yield fetch, Timings(outcome="link_mismatch", detail="delay differs") if wrong else timings

    plan = small_plan()
    outcome = run_sweep(plan, OtherLanes(Mismatched), run, lanes=1, calibrate="off")
    cells = run.cells().collect()
    assert cells["cell_id"].to_list() == list(plan.cells)
    near, far = cells.filter(rtt_ns=35_000_000), cells.filter(rtt_ns=200_000_000)
    assert near["link_applied"].to_list() == [True] * 4
    assert near["applied_rtt_ns"].to_list() == near["rtt_ns"].to_list()
    assert far["link_applied"].to_list() == [False] * 4
    assert far["applied_rtt_ns"].null_count() == 4
    assert cells["achieved_rtt_ns"].null_count() == 8
    assert set(outcome.failed_cells) == set(far["cell_id"])
    wire = dict(cells.select("profile", "chain_wire_bytes").rows())
    assert wire["pq"] > wire["classic"] > 0


def test_the_manifest_names_the_kernel_and_the_parts_and_no_secret(run: Run) -> None:
    run_sweep(small_plan(), FakeBed(), run, lanes=1)
    manifest = run.manifest
    assert (manifest.kernel, manifest.versions, manifest.state) == ("fake-1", {"fake": "1"}, "finished")
    assert manifest.ended >= manifest.started
    for name in files(run.path):
        content = (run.path / name).read_bytes()
        assert b"PRIVATE KEY" not in content
        assert b"root_pem" not in content


def test_the_sweep_of_the_tests_is_small() -> None:
    assert SWEEP.samples * 8 == 48


class ChangedLane(FakeLane):
    """The first lane of the bed is as always; those after it run on another kernel."""

    def __init__(self, bed: OtherLanes, index: int, profiles: Sequence[Profile], timeout_ns: int) -> None:
        super().__init__(bed, index, profiles, timeout_ns)
        if bed.opened:
            self.facts = replace(self.facts, kernel="fake-2")


def test_a_lane_on_another_kernel_ends_the_sweep_without_a_sample_of_it(run: Run) -> None:
    bed = OtherLanes(ChangedLane, die_at={9})
    with pytest.raises(StoreError, match="the kernel was fake-1 and is now fake-2"):
        run_sweep(small_plan(), bed, run, lanes=1)
    assert set(run.samples().collect()["kernel"]) == {"fake-1"}
    with pytest.raises(StoreError, match="the kernel was fake-1 and is now fake-2"):
        run_sweep(small_plan(), bed, run, lanes=1)
    assert set(run.samples().collect()["kernel"]) == {"fake-1"}


def test_the_cells_are_stored_before_the_first_sample_so_that_an_interrupted_run_is_whole(run: Run) -> None:
    """Ctrl-C may come while samples are there already and the event of the open lane is not read yet."""

    class AsksForCells(FakeLane):
        def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
            assert not run.cells().collect().is_empty()
            assert run.manifest.kernel == "fake-1"
            return super().run(cells, fetches)

    def interrupt(event: object) -> None:
        if isinstance(event, LaneOpened) and event.lane == 0:
            while not run.samples().collect().height:
                time.sleep(0.01)
            raise KeyboardInterrupt

    outcome = run_sweep(small_plan(), OtherLanes(AsksForCells), run, lanes=2, calibrate="off", on_event=interrupt)
    assert outcome.exit_code == 130 or outcome.taken == outcome.planned
    assert run.cells().collect().height == len(small_plan().cells)
