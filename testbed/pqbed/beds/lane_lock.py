"""Lock on the lane that `pqbed up` started: two commands on it at once would disturb each other's fetches."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from pqbed.atomic_files import translate_os_errors
from pqbed.errors import LaneError


@contextlib.contextmanager
def lock_lane(path: Path) -> Iterator[None]:
    """Hold the lock at `path`. The kernel frees it when the process ends, however that happens.

    Raises LaneError if another process holds it.
    """
    with translate_os_errors(path, "point XDG_STATE_HOME at a folder that you may write to"):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LaneError("another pqbed command is using the lane of `pqbed up`", hint="wait for it") from None
        yield
