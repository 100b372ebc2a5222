"""Reading who else wants the CPUs. The texts are those of real files."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.beds.fake_bed import FakeBed
from pqbed.report.cpu_contention import describe_contention, describe_pressures
from pqbed.runner import cpu_contention as watched
from pqbed.runner import run_sweep
from pqbed.runner.cpu_contention import (
    LanePressure,
    PressureWatch,
    Reading,
    find_cpu_stat,
    is_contended,
    parse_stolen,
    parse_throttled,
    parse_waiting,
    pressure_between,
)
from pqbed.stats.cpu_contention import count_contended
from pqbed.store.manifest import Pressure
from support.sweeps import new_run, small_plan

PRESSURE = """some avg10=2.16 avg60=1.42 avg300=0.87 total=184467440
full avg10=0.00 avg60=0.00 avg300=0.00 total=0
"""
STAT = """cpu  1376056 4622 524462 894237 15440 0 7041 2286 0 0
cpu0 688028 2311 262231 447118 7720 0 3520 1143 0 0
intr 123456 0 0
ctxt 998877
"""
CPU_STAT_V2 = """usage_usec 1130214
user_usec 700123
system_usec 430091
core_sched.force_idle_usec 0
nr_periods 12
nr_throttled 3
throttled_usec 45017
nr_bursts 0
burst_usec 0
"""
CPU_STAT_V1 = """nr_periods 40
nr_throttled 9
throttled_time 812345678
"""


def test_pressure_is_read_in_microseconds() -> None:
    assert parse_waiting(PRESSURE) == 184_467_440_000


def test_steal_is_the_eighth_number_of_all_cpus_in_ticks() -> None:
    assert parse_stolen(STAT) == 2286 * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def test_throttling_of_both_versions() -> None:
    assert parse_throttled(CPU_STAT_V2) == 45_017_000
    assert parse_throttled(CPU_STAT_V1) == 812_345_678


@pytest.mark.parametrize("read", [parse_waiting, parse_stolen, parse_throttled])
@pytest.mark.parametrize(
    "text", ["", "\n", "some avg10=0.00\n", "cpu  1 2 3\n", "usage_usec 5\nuser_usec 5\n", "some total=x\n", "\x00\xff"]
)
def test_what_is_not_there_is_not_known(read: Callable[..., Any], text: str) -> None:
    assert read(text) is None


def cgroup(folder: Path, own: str, **files: Any) -> str | None:
    for name, content in files.items():
        path = folder / "fs" / name.replace("__", "/") / "cpu.stat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (folder / "own").write_text(own)
    found = find_cpu_stat(folder / "own", folder / "fs")
    return None if found is None else str(found.relative_to(folder / "fs").parent)


def test_the_cgroup_of_version_2(tmp_path: Path) -> None:
    assert cgroup(tmp_path, "0::/user.slice\n", user__slice="no", **{"user.slice": CPU_STAT_V2}) == "user.slice"


def test_the_root_of_version_2_where_a_container_hides_the_path(tmp_path: Path) -> None:
    assert cgroup(tmp_path, "0::/../../else\n", **{".": CPU_STAT_V2}) == "."


def test_a_root_without_limits_tells_nothing(tmp_path: Path) -> None:
    assert cgroup(tmp_path, "0::/\n", **{".": "usage_usec 1\n"}) is None


def test_the_cgroup_of_version_1(tmp_path: Path) -> None:
    own = "11:memory:/m\n4:cpu,cpuacct:/docker/1f\n0::/\n"
    assert cgroup(tmp_path, own, **{"cpu,cpuacct__docker__1f": CPU_STAT_V1}) == "cpu,cpuacct/docker/1f"


def test_version_1_mounted_alone(tmp_path: Path) -> None:
    assert cgroup(tmp_path, "2:cpuacct:/\n1:cpu:/\n0::/\n", cpu=CPU_STAT_V1) == "cpu"


def test_without_cgroups_there_is_none(tmp_path: Path) -> None:
    assert find_cpu_stat(tmp_path / "none", tmp_path) is None


def reading(
    at_ms: int, waiting_ms: int | None = None, stolen_ms: int | None = None, throttled_ms: int | None = None
) -> Reading:
    values = (None if ms is None else ms * 1_000_000 for ms in (waiting_ms, stolen_ms, throttled_ms))
    return Reading(
        at_ns=at_ms * 1_000_000, **dict(zip(("waiting_ns", "stolen_ns", "throttled_ns"), values, strict=True))
    )


def test_shares_are_those_of_the_time_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    found = pressure_between(reading(1000, 500, 40, 0), reading(1200, 520, 48, 100))
    assert found == Pressure(cpu_pressure_ppm=100_000, cpu_steal_ppm=10_000, cpu_throttled_ppm=500_000)


def test_what_is_missing_on_either_side_is_not_known() -> None:
    assert pressure_between(reading(0), reading(100, 1, 1, 1)) == Pressure()
    assert pressure_between(reading(5, 1, 1, 1), reading(5, 1, 1, 1)) == Pressure()


@pytest.mark.parametrize(
    ("pressure", "pressed"),
    [
        (Pressure(), None),
        (Pressure(cpu_pressure_ppm=99_999), False),
        (Pressure(cpu_pressure_ppm=100_000), True),
        (Pressure(cpu_steal_ppm=49_999, cpu_throttled_ppm=0), False),
        (Pressure(cpu_pressure_ppm=0, cpu_steal_ppm=50_000), True),
        (Pressure(cpu_throttled_ppm=50_000), True),
    ],
)
def test_a_sample_is_pressed_from_the_thresholds_on(pressure: Pressure, pressed: bool | None) -> None:
    assert is_contended(pressure) is pressed


class Clock(PressureWatch):
    """Stands in for a watch: a reading a call, the same one until the time is over."""

    def __init__(self, *readings: Reading) -> None:
        self.readings = list(readings)

    def look(self) -> Reading:
        return self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]


def test_a_fetch_shorter_than_the_interval_shares_a_reading() -> None:
    first, second, third = reading(0, 0), reading(100, 10), reading(200, 60)
    lane = LanePressure(Clock(first, first, second, second, third))
    lane.begin()
    assert [lane.end().cpu_pressure_ppm for _ in range(3)] == [100_000, 100_000, 500_000]


def test_a_fetch_without_a_reading_of_its_own_has_the_one_before() -> None:
    first, second = reading(0, 0), reading(100, 10)
    lane = LanePressure(Clock(first, first, first, second))
    lane.begin()
    assert lane.end() == Pressure()
    assert lane.end().cpu_pressure_ppm == 100_000
    lane.begin()
    assert lane.end().cpu_pressure_ppm == 100_000


def test_a_watch_reads_no_oftener_than_its_interval() -> None:
    watch = PressureWatch(interval_ns=3600 * 10**9)
    assert watch.look() is watch.look()
    watch.close()
    last = watch.look()
    assert last.at_ns > 0
    watch.close()
    assert watch.look() is last
    eager = PressureWatch(interval_ns=0)
    assert eager.look() is not eager.look()
    eager.close()


def test_a_host_that_tells_nothing_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PRESSURE", "STAT", "OWN_CGROUPS"):
        monkeypatch.setattr(watched, name, tmp_path / "none")
    watch = PressureWatch()
    watch.close()
    assert watch.whole() == Pressure()


def press(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let /proc/pressure/cpu tell of ten times as much waiting as there is time, so that no delay hides it."""
    path = tmp_path / "pressure"
    path.write_text(PRESSURE)
    begun_ns = time.monotonic_ns()

    def content(descriptor: int | None) -> str:
        waited_us = (time.monotonic_ns() - begun_ns) // 100
        return f"some avg10=0 total={waited_us}\n" if descriptor is not None else ""

    monkeypatch.setattr(watched, "PRESSURE", path)
    monkeypatch.setattr(watched, "STAT", tmp_path / "none")
    monkeypatch.setattr(watched, "OWN_CGROUPS", tmp_path / "none")
    monkeypatch.setattr(watched, "_content", content)


def test_samples_on_the_real_clock_are_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    press(monkeypatch, tmp_path)
    with new_run(tmp_path) as run:
        run_sweep(small_plan(samples=1), FakeBed(clock="real", sleep_s=0.03), run, lanes=1)
        table = run.samples().collect()
        count = count_contended(run.samples())
        [whole] = run.manifest.pressure
    assert count.known == table.height - table["pressed"].null_count() > 0
    assert count.pressed == count.known
    known = table.filter(pl.col("pressed"))
    assert (known["cpu_pressure_ppm"] >= 100_000).all()
    assert table["cpu_steal_ppm"].null_count() == table.height
    assert whole.cpu_pressure_ppm > 100_000
    assert count.sentence() == f"{count.pressed} of {count.known} samples were taken under CPU contention"
    assert describe_contention(count)[0].startswith(count.sentence())


def test_samples_in_virtual_time_are_not_and_the_run_still_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    press(monkeypatch, tmp_path)
    with new_run(tmp_path) as run:
        run_sweep(small_plan(samples=2), FakeBed(), run, lanes=1)
        run_sweep(small_plan(samples=4), FakeBed(), run, lanes=1)
        table, count, manifest = run.samples().collect(), count_contended(run.samples()), run.manifest
    assert table["pressed"].null_count() == table["cpu_pressure_ppm"].null_count() == table.height
    assert (count.pressed, count.known, count.sentence()) == (0, 0, "")
    assert describe_contention(count) == []
    assert len(manifest.pressure) == 2
    told = describe_pressures(manifest.pressure, "virtual")
    assert "% of the time a task waited for a CPU; then " in told
    assert told.endswith("(no effect in virtual time)")
    assert describe_pressures([Pressure()], "real") == ""
