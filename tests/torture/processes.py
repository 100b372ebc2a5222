"""Processes of a round: those that have a file of its folder open, whoever started them and in whatever namespace."""

import contextlib
import os
import time
from pathlib import Path


def processes_in(folder: Path) -> list[int]:
    """Return the processes that have an open file in `folder`: each lane writes its errors there."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            targets = [str(link.readlink()) for link in (process / "fd").iterdir()]
            if any(target.startswith(f"{folder}/") for target in targets):
                found.append(int(process.name))
    return [pid for pid in found if pid != os.getpid()]


def lane_groups(folder: Path, pqbed: int) -> list[int]:
    """Return the process groups of the lanes: what is not in the session of pqbed itself."""
    groups = set()
    for pid in processes_in(folder):
        with contextlib.suppress(ProcessLookupError):
            groups.add(os.getpgid(pid))
    return sorted(groups - {pqbed})


def wait_until_gone(folder: Path, timeout_s: float) -> list[int]:
    """Wait for the end of the processes in `folder`; return those that are left."""
    deadline = time.monotonic() + timeout_s
    while (left := processes_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left
