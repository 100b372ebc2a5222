"""CPU contention during sampling: PSI pressure, hypervisor steal, cgroup throttling.

What this host does not report is None, never an error. Sources: Documentation/accounting/psi.rst, proc_stat(5),
cgroup-v2.rst (cpu.stat) and sched-bwc.rst (its v1).
"""

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from pqbed.store.manifest import Pressure

PRESSURE = Path("/proc/pressure/cpu")
STAT = Path("/proc/stat")
OWN_CGROUPS = Path("/proc/self/cgroup")
CGROUPS = Path("/sys/fs/cgroup")

# One reading costs tens of microseconds, some hundred on a busy host: at this distance a thousandth of one CPU.
INTERVAL_NS = 100_000_000

# From these on a sample counts as contended: for a tenth of the time some runnable task had no CPU, or a twentieth of
# the CPU time was stolen by the hypervisor or withheld by a limit. An undisturbed lane stays far below.
PRESSURE_LIMIT_PPM = 100_000
STEAL_LIMIT_PPM = 50_000
THROTTLING_LIMIT_PPM = 50_000

_PPM = 1_000_000
_LARGEST_FILE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Running totals in ns at one moment of the monotonic clock. `stolen_ns` is that of all CPUs together."""

    at_ns: int
    waiting_ns: int | None
    stolen_ns: int | None
    throttled_ns: int | None


class PressureWatch:
    """Reads the totals at most once per INTERVAL_NS. Thread-safe."""

    def __init__(self, *, interval_ns: int = INTERVAL_NS) -> None:
        self._interval_ns = interval_ns
        self._lock = threading.Lock()
        paths = (PRESSURE, STAT, find_cpu_stat(OWN_CGROUPS, CGROUPS))
        self._files = [None if path is None else _open(path) for path in paths]
        self._closed = False
        self._first = self._last = self._read()

    def look(self) -> Reading:
        """Return a reading that is at most INTERVAL_NS old."""
        with self._lock:
            if not self._closed and time.monotonic_ns() - self._last.at_ns >= self._interval_ns:
                self._last = self._read()
            return self._last

    def whole(self) -> Pressure:
        """Return the contention from the first reading to the last, that of `close`."""
        with self._lock:
            return pressure_between(self._first, self._last)

    def close(self) -> None:
        """Read once more and close the files. After that `look` returns this reading."""
        with self._lock:
            if self._closed:
                return
            self._last, self._closed = self._read(), True
            for descriptor in self._files:
                if descriptor is not None:
                    os.close(descriptor)
            self._files = [None] * len(self._files)

    def _read(self) -> Reading:
        pressure, stat, throttling = (_content(descriptor) for descriptor in self._files)
        return Reading(
            at_ns=time.monotonic_ns(),
            waiting_ns=parse_waiting(pressure),
            stolen_ns=parse_stolen(stat),
            throttled_ns=parse_throttled(throttling),
        )


class LanePressure:
    """CPU contention during each fetch of one lane."""

    def __init__(self, watch: PressureWatch) -> None:
        self._watch = watch
        self._before = watch.look()
        self._latest = Pressure()

    def begin(self) -> None:
        """Start the next fetch: contention before it does not count."""
        self._before = self._watch.look()

    def end(self) -> Pressure:
        """Return the contention since the previous fetch; without a new reading, that of the previous one."""
        after = self._watch.look()
        if after is not self._before:
            self._latest, self._before = pressure_between(self._before, after), after
        return self._latest


def pressure_between(before: Reading, after: Reading) -> Pressure:
    """Return the shares of the time between two readings in ppm (for steal: of the time of all CPUs)."""
    elapsed_ns = after.at_ns - before.at_ns
    return Pressure(
        cpu_pressure_ppm=_share(before.waiting_ns, after.waiting_ns, elapsed_ns),
        cpu_steal_ppm=_share(before.stolen_ns, after.stolen_ns, elapsed_ns * (os.cpu_count() or 1)),
        cpu_throttled_ppm=_share(before.throttled_ns, after.throttled_ns, elapsed_ns),
    )


def is_contended(pressure: Pressure) -> bool | None:
    """Return whether a sample on the real clock may have been slowed; None if this host reports nothing."""
    limits = (
        (pressure.cpu_pressure_ppm, PRESSURE_LIMIT_PPM),
        (pressure.cpu_steal_ppm, STEAL_LIMIT_PPM),
        (pressure.cpu_throttled_ppm, THROTTLING_LIMIT_PPM),
    )
    known = [share >= limit for share, limit in limits if share is not None]
    return any(known) if known else None


def parse_waiting(text: str) -> int | None:
    """Return the total of the line `some` of /proc/pressure/cpu (microseconds) in ns."""
    for line in text.splitlines():
        fields = line.split()
        if fields[:1] == ["some"]:
            return next(
                (_scaled(item.removeprefix("total="), 1000) for item in fields if item.startswith("total=")), None
            )
    return None


def parse_stolen(text: str) -> int | None:
    """Return the eighth number of the first line of /proc/stat (steal of all CPUs, in ticks) in ns."""
    name, *ticks = text.partition("\n")[0].split() or [""]
    if name != "cpu" or len(ticks) < 8:
        return None
    return _scaled(ticks[7], 1_000_000_000 // os.sysconf("SC_CLK_TCK"))


def parse_throttled(text: str) -> int | None:
    """Return the time in ns that a limit withheld from this cgroup: `throttled_usec` (v2), `throttled_time` (v1)."""
    pairs = dict(line.split(maxsplit=1) for line in text.splitlines() if " " in line)
    if "throttled_usec" in pairs:
        return _scaled(pairs["throttled_usec"], 1000)
    return _scaled(pairs.get("throttled_time", ""), 1)


def find_cpu_stat(own: Path, root: Path) -> Path | None:
    """Return the cpu.stat of our cgroup, v2 or v1; that of the root if our path is not visible in a container."""
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines() if line.count(":") >= 2]
    except OSError:
        return None
    for _, controllers, path in sorted(lines, key=lambda line: line[1] == ""):
        if controllers and "cpu" not in controllers.split(","):
            continue
        for mount in (root / controllers if controllers else root, root / "cpu" if controllers else root / "unified"):
            for folder in (mount / path.lstrip("/"), mount):
                if _holds_throttling(folder / "cpu.stat"):
                    return folder / "cpu.stat"
    return None


def _holds_throttling(path: Path) -> bool:
    try:
        return parse_throttled(path.read_text()) is not None
    except OSError:
        return False


def _scaled(text: str, factor: int) -> int | None:
    text = text.strip()
    return int(text) * factor if text.isascii() and text.isdigit() else None


def _share(before: int | None, after: int | None, elapsed_ns: int) -> int | None:
    if before is None or after is None or elapsed_ns <= 0:
        return None
    return max(0, after - before) * _PPM // elapsed_ns


def _open(path: Path) -> int | None:
    with contextlib.suppress(OSError):
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return None


def _content(descriptor: int | None) -> str:
    if descriptor is None:
        return ""
    with contextlib.suppress(OSError):
        return os.pread(descriptor, _LARGEST_FILE, 0).decode("ascii", "replace")
    return ""
