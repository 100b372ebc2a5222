"""Processes of a round: those that have a file of its folder open, whoever started them and in whatever namespace."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path


def processes_in(folder: Path) -> list[int]:
    """Return the processes that have an open file in `folder`: each lane writes its errors there."""
    processes = [process for process in Path("/proc").glob("[0-9]*") if process.name != str(os.getpid())]
    return [
        int(process.name)
        for process in processes
        if any(target.startswith(f"{folder}/") for target in _open_files(process))
    ]


def _open_files(process: Path) -> Iterator[str]:
    """Yield the open files of a process; those that it closes meanwhile are left out, and it alone if it ends."""
    with contextlib.suppress(OSError):
        for link in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(link.readlink())


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
