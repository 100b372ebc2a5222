"""Lock of a run directory for its one writer, held by the kernel: it ends with the process."""

import errno
import fcntl
import os
from pathlib import Path

from pqbed.atomic_files import translate_os_errors
from pqbed.errors import StoreError

LOCK_NAME = ".lock"


class Lock:
    """The exclusive right to write one run directory, until `release`."""

    def __init__(self, folder: Path) -> None:
        with translate_os_errors(folder):
            self._descriptor: int | None = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _lock(self._descriptor, folder)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Release the lock. Safe to call twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StoreError(
            f"another process is writing {folder}",
            "wait until it ends, or stop it; then try again",
        ) from error
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "error")
        raise StoreError(
            f"{folder} is on a file system without locks ({name})",
            "name a folder on a local disk with --out",
        ) from error
