"""Host diagnosis: which beds can run, and how to fix what is missing. Changes nothing."""

import os
import platform
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pqbed.artefacts import built_kernels, damaged_artefacts
from pqbed.beds.choose_bed import pick
from pqbed.beds.host_checks import (
    ENGINE_HINT,
    UML_MACHINES,
    UML_TOOLS,
    BedStatus,
    EngineProbe,
    built_artefacts,
    check_docker,
    check_netns,
    check_uml,
    engine_cure,
    exec_tmpfs,
    local_netem_fault,
    probe_engine,
)
from pqbed.beds.kernel_requirements import missing_modules
from pqbed.beds.make_bed import missing_in_containers
from pqbed.errors import HostError
from pqbed.net.kernel_features import all_modules, features_without
from pqbed.user_folders import cache_home

Level = Literal["ok", "warn", "fail"]

OLDEST_PYTHON = (3, 11)
# A root file system, a kernel build and the images, measured: about 3 GiB while they are made.
ENOUGH_SPACE_BYTES = 4 << 30
LEAST_SPACE_BYTES = 1 << 30
STEAL_WINDOW_S = 0.2
STEAL_LIMIT = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. `warn`: a bed is missing or numbers may be noisy; `fail`: nothing works."""

    name: str
    level: Level
    found: str
    cure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All checks, the beds, and what `--bed auto` means: `auto` None if no bed runs on this host."""

    checks: tuple[Check, ...]
    beds: tuple[BedStatus, ...]
    auto: str | None
    auto_reason: str


def examine_host(*, verify: bool = False, probe_modules: bool = False) -> Diagnosis:
    """Run all checks. Takes about a second; waits at most 5 s for an engine that does not answer.

    `verify`: read all of the artefacts and compare their hashes. `probe_modules`: use every module of the engine's
    kernel in a container.
    """
    probe = probe_engine()
    elsewhere = probe.info is not None and not probe.info.local
    beds = (check_docker(probe), check_netns(), check_uml(probe))
    checks = (
        check_machine(platform.machine()),
        check_python(sys.version_info[:2]),
        check_engine(probe),
        check_netem(local_netem_fault(), engine_is_elsewhere=elsewhere),
        check_modules(missing_modules(all_modules()), engine_is_elsewhere=elsewhere),
        *((check_engine_modules(missing_in_containers()),) if probe_modules and probe.info is not None else ()),
        check_privilege(os.geteuid()),
        check_tools(),
        check_memory_folder(),
        check_space(cache_home()),
        check_artefacts(
            tuple(release for _, release in built_kernels()),
            built_artefacts("roots"),
            damaged_artefacts(full=True if verify else None),
        ),
        check_governor(),
        check_steal(),
    )
    try:
        auto, reason = pick(beds[0], beds[2], None)
    except HostError as error:
        return Diagnosis(checks=checks, beds=beds, auto=None, auto_reason=error.message)
    return Diagnosis(checks=checks, beds=beds, auto=auto, auto_reason=reason)


def check_machine(machine: str) -> Check:
    """Check the architecture, which only User-mode Linux depends on."""
    if machine.lower() in UML_MACHINES:
        return Check(name="architecture", level="ok", found=f"{machine}, {os.cpu_count()} CPUs")
    return Check(name="architecture", level="warn", found=machine, cure="the uml bed needs x86-64; use --bed docker")


def check_python(version: tuple[int, ...]) -> Check:
    """Check the interpreter."""
    summary = ".".join(map(str, version))
    if version >= OLDEST_PYTHON:
        return Check(name="python", level="ok", found=summary)
    return Check(name="python", level="fail", found=summary, cure="install Python 3.11 or newer")


def check_engine(probe: EngineProbe) -> Check:
    """Check the container engine and its kernel."""
    engine = probe.info
    if engine is None:
        return Check(name="container engine", level="warn", found=probe.reason, cure=ENGINE_HINT)
    kind = f"{engine.name or 'Docker Engine'} {engine.version}{', rootless' if engine.rootless else ''}"
    summary = f"{kind} (API {engine.api}) on {engine.machine}, kernel {engine.kernel}"
    fault = engine_cure(engine)
    if fault:
        lacks = "no sch_netem" if engine.netem is False else "a netem that takes no seed"
        return Check(name="container engine", level="warn", found=f"{summary}, {lacks}", cure=fault)
    return Check(name="container engine", level="ok", found=summary)


def check_netem(fault: tuple[str, str] | None, *, engine_is_elsewhere: bool = False) -> Check:
    """Check this kernel's netem: the netns bed needs it, and the docker bed if the engine is local."""
    if fault is None:
        found = f"kernel {platform.release()}: nothing is known to be missing; a bed probes it when it starts"
        return Check(name="netem", level="ok", found=found)
    if engine_is_elsewhere:
        return Check(name="netem", level="ok", found=f"{fault[0]}, which only the netns bed would need")
    return Check(name="netem", level="warn", found=fault[0], cure=fault[1])


def check_modules(missing: Sequence[str], *, engine_is_elsewhere: bool = False) -> Check:
    """Check this kernel for the modules that single features need beyond netem."""
    if not missing:
        return Check(name="kernel modules", level="ok", found="beyond netem: nothing is known to be missing")
    found = word_features(missing)
    if engine_is_elsewhere:
        return Check(name="kernel modules", level="ok", found=f"{found}: only the netns bed would need them")
    cure = f"for the docker and netns beds: modprobe -a {' '.join(missing)}, from where sch_netem comes"
    return Check(name="kernel modules", level="warn", found=found, cure=cure)


def check_engine_modules(missing: Sequence[str] | None) -> Check:
    """Check what the engine's kernel answered to a container; None: there was no image to ask with."""
    name = "modules in the engine"
    if missing is None:
        return Check(name=name, level="warn", found="not asked: no image is built", cure="pqbed build --bed docker")
    if not missing:
        return Check(name=name, level="ok", found="a container used everything beyond netem")
    cure = f"on the engine's host: modprobe -a {' '.join(missing)}; or use --bed uml"
    return Check(name=name, level="warn", found=word_features(missing), cure=cure)


def word_features(missing: Sequence[str]) -> str:
    """Return which features a kernel lacks, and by which modules."""
    parts = [f"{name} ({', '.join(modules)})" for name, modules in features_without(missing).items()]
    return f"missing for {'; '.join(parts)}"


def check_privilege(user: int) -> Check:
    """Check for root, which only the netns bed needs."""
    if user == 0:
        return Check(name="privilege", level="ok", found="root")
    return Check(name="privilege", level="ok", found="an ordinary user, which is enough for the docker and uml beds")


def check_tools() -> Check:
    """Check the tools that build the root of the uml and netns beds."""
    missing = [name for name in UML_TOOLS if shutil.which(name) is None]
    if not missing:
        return Check(name="build tools", level="ok", found=", ".join(UML_TOOLS))
    cure = f"to build the uml bed: apt install {' '.join(missing)}"
    return Check(name="build tools", level="warn", found=f"missing: {', '.join(missing)}", cure=cure)


def check_memory_folder() -> Check:
    """Check for an executable tmpfs, which a guest's memory is mapped from."""
    folder = exec_tmpfs()
    if folder is not None:
        return Check(name="memory folder", level="ok", found=f"{folder} (tmpfs, executable)")
    cure = "guests run slower from a disk: mount -t tmpfs -o exec,mode=1777 tmpfs /tmp"
    return Check(name="memory folder", level="warn", found="no executable tmpfs", cure=cure)


def check_space(folder: Path) -> Check:
    """Check the free space for artefacts."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    summary = f"{free / (1 << 30):.1f} GiB free at {folder}"
    if free >= ENOUGH_SPACE_BYTES:
        return Check(name="disk space", level="ok", found=summary)
    level: Level = "warn" if free >= LEAST_SPACE_BYTES else "fail"
    return Check(name="disk space", level=level, found=summary, cure="free 4 GiB, or point XDG_CACHE_HOME elsewhere")


def check_artefacts(
    kernels: tuple[str, ...], roots: tuple[str, ...], damaged: Mapping[str, str] | None = None
) -> Check:
    """Report which artefacts are built, kernels by release, and which are not as they were: what is wrong, by path."""
    if damaged:
        found = "; ".join(f"{path}: {damage}" for path, damage in damaged.items())
        return Check(name="artefacts", level="warn", found=found, cure="`pqbed build` builds what is damaged again")
    if not kernels and not roots:
        return Check(name="artefacts", level="ok", found="none yet; `pqbed build` or the first sweep builds them")
    named = f" ({', '.join(kernels)})" if kernels else ""
    summary = f"{_counted(kernels, 'guest kernel')}{named}, {_counted(roots, 'root file system')}"
    return Check(name="artefacts", level="ok", found=summary)


def _counted(things: tuple[str, ...], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def check_governor(cpu: Path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")) -> Check:
    """Check the CPU governor: a power-saving one adds noise to TTLB on the real clock."""
    try:
        governor = cpu.read_text().strip()
    except OSError:
        return Check(name="cpu governor", level="ok", found="not visible on this host")
    if governor in {"performance", "schedutil"}:
        return Check(name="cpu governor", level="ok", found=governor)
    cure = "for the real clock: echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    return Check(name="cpu governor", level="warn", found=governor, cure=cure)


def check_steal(stat: Path = Path("/proc/stat"), window_s: float = STEAL_WINDOW_S) -> Check:
    """Check CPU steal (time that the hypervisor gave to others), now and since boot."""
    try:
        before = _cpu_times(stat)
        time.sleep(window_s)
        after = _cpu_times(stat)
    except (OSError, ValueError, IndexError):
        return Check(name="cpu steal", level="ok", found="not reported by this host")
    spent = [new - old for new, old in zip(after, before, strict=True)]
    now = spent[7] / (sum(spent) or 1)
    since_boot = after[7] / (sum(after) or 1)
    summary = f"{now:.1%} now, {since_boot:.1%} since boot"
    if max(now, since_boot) <= STEAL_LIMIT:
        return Check(name="cpu steal", level="ok", found=summary)
    cure = "real-clock numbers will be noisy on this host: use --bed uml --clock virtual, which host load cannot change"
    return Check(name="cpu steal", level="warn", found=summary, cure=cure)


def _cpu_times(stat: Path) -> list[int]:
    """Return user, nice, system, idle, iowait, irq, softirq, steal in ticks (proc_stat(5))."""
    return [int(field) for field in stat.read_text().splitlines()[0].split()[1:9]]
