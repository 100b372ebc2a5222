"""A User-mode Linux guest as a confined process: no engine, no privilege."""

import contextlib
import os
import sys
from pathlib import Path

from pqbed.agent.cpu_affinity import cpu_of
from pqbed.beds.lane_process import CONFINE, PlainProcess
from pqbed.beds.leftovers import memory_folders
from pqbed.beds.uml.guest_kernel_arguments import MEMORY_BYTES, kernel_arguments
from pqbed.errors import HostError
from pqbed.owned_folders import OwnedFolder
from pqbed.spec.run_options import Clock


def start_guest_process(kernel: Path, root: Path, source: str, lane: int, clock: Clock) -> PlainProcess:
    """Boot `kernel` on `root`, read-only, with the agent in `source` inside it."""
    # UML keeps a pid file in a folder of its own, and its memory in an executable file.
    work = OwnedFolder("guest", memory_folder())
    confine = (sys.executable, "-I", "-S", CONFINE, "guest", str(root), str(kernel), str(work.path))
    guest = PlainProcess((*confine, *kernel_arguments(source, lane, clock)), {"PATH": os.defpath}, work, MEMORY_BYTES)
    keep_on_one_cpu(guest.pid, lane)
    return guest


def keep_on_one_cpu(pid: int, lane: int) -> None:
    """Keep a guest's kernel and its processes on one CPU (see agent/cpu_affinity.py)."""
    with contextlib.suppress(ProcessLookupError):  # it ended at once: whoever reads from it will say so
        os.sched_setaffinity(pid, {cpu_of(lane)})


def memory_folder() -> str:
    """Return a folder that allows execution, best a tmpfs, for the file that is a guest's memory."""
    for candidate in memory_folders():
        if os.access(candidate, os.W_OK) and not os.statvfs(candidate).f_flag & os.ST_NOEXEC:
            return candidate
    raise HostError(
        "no writable folder allows execution, which the memory of a User-mode Linux guest needs",
        "set TMPDIR to one, best on a tmpfs",
    )
