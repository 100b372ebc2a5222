"""What this host can do, and the cure for what it cannot. Looks, and changes nothing."""

import os
import platform
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pqbed.beds.choose import pick
from pqbed.beds.host_checks import (
    NETEM_CURE,
    UML_MACHINES,
    UML_TOOLS,
    Engine,
    Verdict,
    built,
    cache_dir,
    exec_tmpfs,
    find_engine,
    judge_docker,
    judge_netns,
    judge_uml,
)
from pqbed.beds.netem_check import kernel_has_netem
from pqbed.errors import HostError

Level = Literal["ok", "warn", "fail"]

OLDEST_PYTHON = (3, 11)
# A root file system, a kernel build and the images, measured: about 3 GiB while they are made.
ENOUGH_SPACE_BYTES = 4 << 30
LEAST_SPACE_BYTES = 1 << 30
STEAL_WINDOW_S = 0.2
STEAL_LIMIT = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at. `warn`: a bed is missing or numbers may be noisy; `fail`: nothing works with it."""

    name: str
    level: Level
    found: str
    cure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All checks, the beds, and what `--bed auto` takes: `auto` None means no bed runs here."""

    checks: tuple[Check, ...]
    beds: tuple[Verdict, ...]
    auto: str | None
    auto_reason: str


def examine_host() -> Diagnosis:
    """Look at everything once. Takes about a second; waits at most 5 s for an engine that does not answer."""
    engine = find_engine()
    beds = (judge_docker(engine), judge_netns(), judge_uml(engine))
    checks = (
        check_machine(platform.machine()),
        check_python(sys.version_info[:2]),
        check_engine(engine),
        check_netem(kernel_has_netem()),
        check_privilege(os.geteuid()),
        check_tools(),
        check_memory_folder(),
        check_space(cache_dir()),
        check_artefacts(built("kernels"), built("roots")),
        check_governor(),
        check_steal(),
    )
    try:
        auto, reason = pick(beds[0], beds[2], None)
    except HostError as error:
        return Diagnosis(checks=checks, beds=beds, auto=None, auto_reason=error.message)
    return Diagnosis(checks=checks, beds=beds, auto=auto, auto_reason=reason)


def check_machine(machine: str) -> Check:
    """Check the architecture: only User-mode Linux asks for one."""
    if machine.lower() in UML_MACHINES:
        return Check(name="architecture", level="ok", found=f"{machine}, {os.cpu_count()} CPUs")
    return Check(name="architecture", level="warn", found=machine, cure="the uml bed needs x86-64; use --bed docker")


def check_python(version: tuple[int, ...]) -> Check:
    """Check the interpreter."""
    found = ".".join(map(str, version))
    if version >= OLDEST_PYTHON:
        return Check(name="python", level="ok", found=found)
    return Check(name="python", level="fail", found=found, cure="install Python 3.11 or newer")


def check_engine(engine: Engine | str) -> Check:
    """Check the engine and the kernel under it."""
    if isinstance(engine, str):
        verdict = judge_docker(engine)
        return Check(name="container engine", level="warn", found=engine, cure=verdict.cure)
    found = f"{engine.version} (API {engine.api}) on {engine.machine}, kernel {engine.kernel}"
    if engine.netem is False:
        return Check(name="container engine", level="warn", found=f"{found}, no sch_netem", cure=NETEM_CURE)
    return Check(name="container engine", level="ok", found=found)


def check_netem(present: bool | None) -> Check:
    """Check this kernel's netem, which the netns bed needs, and the docker bed where the engine is local."""
    kernel = f"kernel {platform.release()}"
    if present is False:
        return Check(name="netem", level="warn", found=f"{kernel} has no sch_netem", cure=NETEM_CURE)
    if present is None:
        return Check(name="netem", level="ok", found=f"{kernel} does not tell; it is probed when a bed comes up")
    return Check(name="netem", level="ok", found=f"{kernel} has sch_netem")


def check_privilege(user: int) -> Check:
    """Check for root, which only the netns bed needs."""
    if user == 0:
        return Check(name="privilege", level="ok", found="root")
    return Check(name="privilege", level="ok", found="a plain user: the docker and uml beds need no more")


def check_tools() -> Check:
    """Check what makes the root of the uml and netns beds."""
    missing = [name for name in UML_TOOLS if shutil.which(name) is None]
    if not missing:
        return Check(name="build tools", level="ok", found=", ".join(UML_TOOLS))
    cure = f"to build the uml bed: apt-get install {' '.join(missing)}"
    return Check(name="build tools", level="warn", found=f"missing: {', '.join(missing)}", cure=cure)


def check_memory_folder() -> Check:
    """Check for the folder in memory that a guest's memory is mapped from."""
    folder = exec_tmpfs()
    if folder is not None:
        return Check(name="memory folder", level="ok", found=f"{folder} (tmpfs, executable)")
    cure = "guests run slower from a disk: mount -t tmpfs -o exec,mode=1777 tmpfs /tmp"
    return Check(name="memory folder", level="warn", found="no executable tmpfs", cure=cure)


def check_space(folder: Path) -> Check:
    """Check the room where artefacts go."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    found = f"{free / (1 << 30):.1f} GiB free at {folder}"
    if free >= ENOUGH_SPACE_BYTES:
        return Check(name="disk space", level="ok", found=found)
    level: Level = "warn" if free >= LEAST_SPACE_BYTES else "fail"
    return Check(name="disk space", level=level, found=found, cure="free 4 GiB, or point XDG_CACHE_HOME elsewhere")


def check_artefacts(kernels: tuple[str, ...], roots: tuple[str, ...]) -> Check:
    """Say what is built already."""
    if not kernels and not roots:
        return Check(name="artefacts", level="ok", found="none yet; `pqbed build`, or the first sweep, makes them")
    found = f"{len(kernels)} guest kernel(s), {len(roots)} root file system(s)"
    return Check(name="artefacts", level="ok", found=found)


def check_governor(cpu: Path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")) -> Check:
    """Check the CPU governor: one that saves power makes the CPU's share of a real-clock TTLB unsteady."""
    try:
        governor = cpu.read_text().strip()
    except OSError:
        return Check(name="cpu governor", level="ok", found="not set from inside this host")
    if governor in {"performance", "schedutil"}:
        return Check(name="cpu governor", level="ok", found=governor)
    cure = "for the real clock: echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    return Check(name="cpu governor", level="warn", found=governor, cure=cure)


def check_steal(stat: Path = Path("/proc/stat"), window_s: float = STEAL_WINDOW_S) -> Check:
    """Check how much of the CPU the hypervisor gives to others, now and since boot."""
    try:
        before = _cpu_times(stat)
        time.sleep(window_s)
        after = _cpu_times(stat)
    except (OSError, ValueError, IndexError):
        return Check(name="cpu steal", level="ok", found="not told by this host")
    spent = [new - old for new, old in zip(after, before, strict=True)]
    now = spent[7] / (sum(spent) or 1)
    since_boot = after[7] / (sum(after) or 1)
    found = f"{now:.1%} now, {since_boot:.1%} since boot"
    if max(now, since_boot) <= STEAL_LIMIT:
        return Check(name="cpu steal", level="ok", found=found)
    cure = "real-clock numbers will be noisy here: use --bed uml --clock virtual, which host load cannot change"
    return Check(name="cpu steal", level="warn", found=found, cure=cure)


def _cpu_times(stat: Path) -> list[int]:
    """Return user, nice, system, idle, iowait, irq, softirq, steal in ticks (proc_stat(5))."""
    return [int(field) for field in stat.read_text().splitlines()[0].split()[1:9]]
