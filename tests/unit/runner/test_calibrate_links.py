"""Links are measured before their first sample, once; what is wrong with them is kept and told."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.beds.fake_bed import FakeBed, FakeLane
from pqbed.beds.fake_calibration import fake_measurement
from pqbed.calibrate.measurement import Calibration
from pqbed.errors import HostError, LaneError
from pqbed.report.narrative import describe_result, list_caveats
from pqbed.report.report_data import ReportData, read_report_data
from pqbed.runner import LaneFailed, LinkCalibrated, SampleTaken, run_sweep
from pqbed.runner.link_queue import LinkQueue
from pqbed.spec.link import Link
from pqbed.spec.profile import Profile
from pqbed.spec.tcp import Tcp
from pqbed.store.run_directory import Run, open_run
from support.sweeps import held, new_run, planned, small_plan

FAR_NS = 200_000_000


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with new_run(tmp_path) as made:
        yield made


class TellingBed(FakeBed):
    """A fake bed whose lanes calibrate as `answer` says; it keeps (lane, RTT) of each time."""

    def __init__(self, answer: Callable[..., Any] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.answer = answer
        self.calibrated: list[Any] = []

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> "TellingLane":
        return TellingLane(self, index, profiles, timeout_ns)


class TellingLane(FakeLane):
    _bed: "TellingBed"

    def calibrate(self, link: Link, tcp: Tcp, seed: int) -> Calibration:
        self._bed.calibrated.append((self.index, link.rtt_ns))
        honest = super().calibrate(link, tcp, seed)
        return honest if self._bed.answer is None else self._bed.answer(link, tcp, honest)


def twice_the_far_rtt(link: Link, tcp: Tcp, honest: Calibration) -> Calibration:
    if link.rtt_ns != FAR_NS:
        return honest
    measured = fake_measurement(replace(link, rtt_ns=2 * FAR_NS), tcp)
    queue = honest.measured.down.queue_packets
    up, down = (replace(way, queue_packets=queue) for way in (measured.up, measured.down))
    return replace(honest, measured=replace(measured, up=up, down=down))


def report_data(run: Run) -> ReportData:
    data = read_report_data(run)
    assert data is not None
    return data


@pytest.mark.parametrize("lanes", [1, 3])
def test_each_link_is_calibrated_once_before_its_first_sample(run: Run, lanes: int) -> None:
    bed = TellingBed()
    events: list[Any] = []
    outcome = run_sweep(small_plan(), bed, run, lanes=lanes, on_event=events.append)
    assert outcome.exit_code == 0
    assert sorted(rtt for _, rtt in bed.calibrated) == [35_000_000, FAR_NS]
    kinds = [type(event) for event in events if isinstance(event, LinkCalibrated | SampleTaken)]
    assert kinds.index(SampleTaken) == 2
    rows = run.calibration()
    assert rows["wrong"].to_list() == [False, False]
    cells = run.cells().collect()
    assert cells["achieved_rtt_ns"].to_list() == cells["rtt_ns"].to_list()
    assert cells["achieved_bandwidth_bps"].to_list() == [1_000_000] * 8
    assert not cells["link_wrong"].any()


def test_a_wrong_link_fails_its_cells_and_no_other(run: Run) -> None:
    outcome = run_sweep(small_plan(), TellingBed(twice_the_far_rtt), run, lanes=2)
    assert (outcome.state, outcome.exit_code) == ("finished", 4)
    assert held(run) == planned(small_plan())
    cells = run.cells().collect()
    far = cells.filter(rtt_ns=FAR_NS)
    assert outcome.failed_cells == tuple(far["cell_id"])
    assert set(far["link_deviations"]) == {"rtt: asked 200 ms, achieved 400 ms"}
    assert set(far["achieved_rtt_ns"]) == {2 * FAR_NS}
    assert not cells.filter(pl.col("rtt_ns") != FAR_NS)["link_wrong"].any()
    assert describe_result(report_data(run))[2].startswith(
        "Calibration found 1 of 2 links wrong (see the caveats). All 48 "
    )
    told = " ".join(list_caveats(report_data(run), run.manifest))
    assert "not as requested, so its cells say nothing about that link: rtt 200ms: rtt: asked 200 ms" in told


def test_a_resumed_run_does_not_measure_again_and_does_not_forget(run: Run) -> None:
    stop = threading.Event()
    first = TellingBed(twice_the_far_rtt, sleep_s=0.001)
    run_sweep(small_plan(), first, run, lanes=1, stop=stop, on_event=lambda event: _stop_at(stop, event))
    run.close()
    again = TellingBed()
    with open_run(run.path) as opened:
        assert run_sweep(small_plan(), again, opened, lanes=1).exit_code == 4
    assert len(first.calibrated) == 2
    assert again.calibrated == []


def _stop_at(stop: threading.Event, event: Any) -> None:
    if isinstance(event, SampleTaken):
        stop.set()


def test_always_is_by_every_lane_that_opens(run: Run) -> None:
    bed = TellingBed(die_at=[20])
    run_sweep(small_plan(), bed, run, lanes=1, calibrate="always")
    assert bed.calibrated == 2 * [(0, 35_000_000), (0, FAR_NS)]
    assert run.calibration().height == 4


def test_off_is_not(run: Run) -> None:
    bed = TellingBed()
    run_sweep(small_plan(), bed, run, lanes=1, calibrate="off")
    assert bed.calibrated == []
    assert run.cells().collect()["link_wrong"].null_count() == 8
    assert "Links were not calibrated" in " ".join(list_caveats(report_data(run), run.manifest))


def test_a_link_that_the_kernel_refuses_is_wrong(run: Run) -> None:
    def refuse(*_: Any) -> None:
        raise HostError("the netem of eth0 is not as asked: rate")

    outcome = run_sweep(small_plan(), TellingBed(refuse), run, lanes=1)
    assert outcome.exit_code == 4
    assert set(run.cells().collect()["link_deviations"]) == {"link: the netem of eth0 is not as asked: rate"}


def test_a_lane_that_dies_while_it_measures_costs_no_sample(run: Run) -> None:
    deaths = iter([True])

    def die_once(_link: Link, _tcp: Tcp, honest: Calibration) -> Calibration:
        if next(deaths, False):
            raise LaneError("gone")
        return honest

    events: list[Any] = []
    outcome = run_sweep(small_plan(), TellingBed(die_once), run, lanes=2, on_event=events.append)
    assert outcome.exit_code == 0
    assert outcome.not_ok == 0
    assert [event.detail for event in events if isinstance(event, LaneFailed)] == ["gone"]
    assert run.calibration().height == 2


def test_lanes_wait_for_a_link_that_another_measures_and_take_it_over() -> None:
    links, stop = LinkQueue(done=("old",)), threading.Event()
    assert links.take(["old"], stop) is None
    assert links.take(["old", "new"], stop) == "new"
    taken = []
    other = threading.Thread(target=lambda: taken.append(links.take(["new"], stop)))
    other.start()
    links.give_back("new")
    other.join(5)
    assert taken == ["new"]
    links.finish("new")
    links.give_back("new")
    assert links.take(["old", "new"], stop) is None
