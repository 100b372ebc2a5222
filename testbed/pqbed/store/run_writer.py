"""The process that writes a run, as the kernel knows it: whoever holds the lock of its folder."""

import os
from pathlib import Path

from pqbed.store.run_lock import LOCK_NAME

LOCKS = Path("/proc/locks")


def find_writer(run: Path) -> int | None:
    """Return the id of the process that writes the run in this folder; None if none does.

    A lock ends with its process, so that a run whose writer was killed has none.
    """
    try:
        seen = (run / LOCK_NAME).stat()
        lines = LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    identity = f"{os.major(seen.st_dev):02x}:{os.minor(seen.st_dev):02x}:{seen.st_ino}"
    for line in lines:  # 1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF
        fields = line.split()
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[3] == "WRITE" and fields[5] == identity:
            writer = int(fields[4])
            return writer if writer > 0 else None  # never a group of processes, if it is used as one to signal
    return None
