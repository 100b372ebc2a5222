"""Kernel arguments of a User-mode Linux guest.

The guest's root is the root directory of its process, read-only (hostfs; `beds/confine_process.py` confines the process
to it); its console 0 is the process's standard input and output; `inf-cpu` time travel makes waiting free
(Documentation/virt/uml, arch/um/kernel/time.c).
"""

from collections.abc import Sequence

from pqbed.fetch.fewer_calls import LIBRARY, PRELOAD_VARIABLE
from pqbed.spec.run_options import Clock

MEMORY_BYTES = 512 << 20
# A fixed date for guests in virtual time: certificates and time stamps are the same in every run.
# 2026-01-01T00:00:00Z in ns.
VIRTUAL_START_NS = 1_767_225_600_000_000_000
# Memory that malloc gave back to the kernel comes again by page faults, each of which costs a guest like a system call:
# buffers of libcurl, with every fetch (mallopt(3); 32 MiB is the most that it takes).
_KEPT_MEMORY = ("MALLOC_MMAP_THRESHOLD_=33554432", "MALLOC_TRIM_THRESHOLD_=268435456")


def kernel_arguments(source: str, lane: int, clock: Clock) -> tuple[str, ...]:
    """Return the command line for a guest whose agent is in `source` (a path inside the root)."""
    # Without root= and console= of ours UML appends its own, behind the words that are meant for init.
    boot = [f"mem={MEMORY_BYTES >> 20}M", "root=none", "rootfstype=hostfs", "rootflags=/", "ro", "console=tty0"]
    boot += ["con=null", "con0=fd:0,fd:1", "ssl=null", "quiet", "seccomp=on", "norandmaps"]
    if clock == "virtual":
        boot += ["time-travel=inf-cpu", f"time-travel-start={VIRTUAL_START_NS}"]
        boot += [f"{PRELOAD_VARIABLE}={LIBRARY}"]
    return (*boot, *agent_arguments(source, ("guest", "--lane", str(lane), "--clock", clock)))


def agent_arguments(source: str, role: Sequence[str]) -> tuple[str, ...]:
    """Return what makes the agent the init: unknown NAME=VALUE words become its environment."""
    environment = (f"PYTHONPATH={source}:/opt/pqbed/vendor", "PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1")
    return (*environment, *_KEPT_MEMORY, "init=/usr/bin/python3", "--", "-m", "pqbed.agent", *role)
