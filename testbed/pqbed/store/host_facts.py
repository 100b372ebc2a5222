"""Facts about the host of a run. Reading never fails: unreadable facts are empty."""

import functools
import importlib.metadata
import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_CLOCKSOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """The host at one moment. `load_1min` is the kernel's load average; `cores` are those available to this process."""

    host: str
    machine: str
    kernel: str
    system: str
    python: str
    cpu_model: str
    cores: int
    governor: str
    clocksource: str
    load_1min: float


def read_host() -> HostFacts:
    """Read the facts of this host now."""
    return HostFacts(
        host=socket.gethostname(),
        machine=platform.machine(),
        kernel=platform.release(),
        system=platform.system(),
        python=platform.python_version(),
        cpu_model=_cpu_model(),
        cores=_usable_cores(),
        governor=_read(_GOVERNOR),
        clocksource=_read(_CLOCKSOURCE),
        load_1min=_load(),
    )


@functools.cache
def installed_packages() -> Mapping[str, str]:
    """Return the Python packages of this environment with their versions, by name."""
    headers = map(_metadata_header, importlib.metadata.distributions())
    return dict(
        sorted((header["Name"], header["Version"]) for header in headers if header["Name"] and header["Version"])
    )


def _metadata_header(package: importlib.metadata.Distribution) -> Message:
    # Without the description, which takes most of the time and follows an empty line.
    text = package.read_text("METADATA") or package.read_text("PKG-INFO") or ""
    return HeaderParser().parsestr(text.partition("\n\n")[0], headersonly=True)


def _cpu_model() -> str:
    for line in _read(_CPUINFO).splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model", "cpu model"}:
            return value.strip()
    return platform.processor()


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _load() -> float:
    try:
        return float(os.getloadavg()[0])
    except OSError:
        return -1.0


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
