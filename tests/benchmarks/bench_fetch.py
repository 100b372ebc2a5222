"""What a fetch costs in the uml bed against the same fetch on loopback, as ratios measured in one run.

`make bench` prints them. Machines are noisy, so both sides run in turn and the median of the ratios is shown.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pqbed.artefacts import prepare_root
from pqbed.beds.agent_lane import AgentLane
from pqbed.beds.lane_process import PlainProcess
from pqbed.beds.make_bed import _put_in, make_uml
from pqbed.beds.netns_bed import RootFilesystem, start_contained
from pqbed.plan import cell_id
from pqbed.spec.builtin_profiles import profile_named
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.sample import Fetch
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload

MS, KIB = 1_000_000, 1024
ROUNDS = 5
FETCHES = 100
TIMEOUT_NS = 300_000 * MS
TICKS = os.sysconf("SC_CLK_TCK")
LOOPBACK = Link(rtt_ns=0)
CASES = {
    "0 KiB over 35 ms": (Link(rtt_ns=35 * MS), 0),
    "200 KiB over 1 Mbit/s and 200 ms": (Link(rtt_ns=200 * MS, bandwidth_bps=1_000_000), 200 * KIB),
}
PROFILES = (profile_named("classical"), profile_named("pq"))


@dataclass(frozen=True)
class Cost:
    """Seconds for FETCHES fetches: of CPU, of the wall, and on the bed's own clock."""

    cpu: float
    wall: float
    clock: float


def quiet(_name: str, _fraction: float | None) -> None:
    """Show no progress."""


@contextlib.contextmanager
def guest_lane(index: int = 0) -> Iterator[AgentLane]:
    bed = make_uml("virtual", quiet, None)
    bed.prepare()
    with contextlib.closing(bed.open_lane(index, PROFILES, TIMEOUT_NS)) as lane:
        assert isinstance(lane, AgentLane)
        yield lane


@contextlib.contextmanager
def native_lane() -> Iterator[AgentLane]:
    """Yield a lane of the netns bed; its link has no delay, so this host's kernel needs no netem."""
    path = prepare_root(quiet)
    root = RootFilesystem(path=path, source=_put_in(path, (), quiet))
    with contextlib.closing(AgentLane(0, start_contained(root, 0), PROFILES, TIMEOUT_NS, "real")) as lane:
        yield lane


def fetch_many(lane: AgentLane, link: Link, profile: str, size_bytes: int) -> Cost:
    cell = Cell(link=link, tcp=Tcp(), profile=profile_named(profile), workload=Workload(size_bytes=size_bytes))
    identity = cell_id(cell)
    fetches = [Fetch(cell_id=identity, block=n, repetition=n, seed=n + 1) for n in range(FETCHES)]
    list(lane.run({identity: cell}, fetches[:3]))
    cpu, wall = session_cpu(lane), time.perf_counter()
    clock_ns = 0
    for _, timings in lane.run({identity: cell}, fetches):
        assert timings.outcome == "ok", timings
        clock_ns += timings.last_byte_ns or 0
    return Cost(cpu=session_cpu(lane) - cpu, wall=time.perf_counter() - wall, clock=clock_ns / 1e9)


def session_cpu(lane: AgentLane) -> float:
    """CPU seconds of every process in the lane's session (fields 14 to 17 of /proc/PID/stat)."""
    assert isinstance(lane.process, PlainProcess)
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == lane.process.pid:
                total += sum(map(int, fields[11:15]))
    return total / TICKS


def compare_with_native() -> None:
    print(f"CPU of a fetch; {FETCHES} fetches a round, {ROUNDS} rounds, medians; fetches/s on one core")
    print(
        f"{'case':34} {'profile':10} {'uml ms':>8} {'native ms':>10} {'ratio':>6} {'fetches/s':>10} {'virtual s/s':>12}"
    )
    with guest_lane() as guest, native_lane() as native:
        for case, (link, size_bytes) in CASES.items():
            for profile in ("classical", "pq"):
                pairs = [
                    (fetch_many(guest, link, profile, size_bytes), fetch_many(native, LOOPBACK, profile, size_bytes))
                    for _ in range(ROUNDS)
                ]
                uml = statistics.median(one.cpu for one, _ in pairs) / FETCHES
                bare = statistics.median(other.cpu for _, other in pairs) / FETCHES
                ratio = statistics.median(one.cpu / other.cpu for one, other in pairs)
                speed = statistics.median(one.clock / one.wall for one, _ in pairs)
                costs = f"{uml * 1e3:8.2f} {bare * 1e3:10.2f} {ratio:6.2f} {1 / uml:10.0f} {speed:12.0f}"
                print(f"{case:34} {profile:10} {costs}")
        share = [fetch_many(native, LOOPBACK, "classical", 0) for _ in range(ROUNDS)]
        agent = statistics.median(1 - cost.clock / cost.wall for cost in share)
        print(f"outside the fetch itself (agent, channel), native, 0 KiB: {agent:.0%} of the wall time")


def compare_lanes() -> None:
    link, size_bytes = CASES["200 KiB over 1 Mbit/s and 200 ms"]
    ratios = []
    with guest_lane(0) as first, guest_lane(1) as second:
        for _ in range(ROUNDS):
            alone = fetch_many(first, link, "classical", size_bytes).wall
            began = time.perf_counter()
            threads = [
                threading.Thread(target=fetch_many, args=(lane, link, "classical", size_bytes))
                for lane in (first, second)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            ratios.append(2 * alone / (time.perf_counter() - began))
    print(f"two lanes against one: {statistics.median(ratios):.2f} times the fetches a second")


def time_first_sample() -> None:
    options = [
        "sweep",
        "--bed",
        "uml",
        "--rtt",
        "35",
        "--bandwidth",
        "1mbit",
        "--size",
        "0",
        "--profile",
        "classical",
        "--samples",
        "1",
    ]
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "pqbed_cli", *options, "--out", out]
        walls = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            walls.append(time.perf_counter() - began)
    print(f"warm sweep of one cell and one sample, from command to table: {statistics.median(walls):.2f} s")


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("the native side needs root (network namespaces)")
    compare_with_native()
    compare_lanes()
    time_first_sample()
