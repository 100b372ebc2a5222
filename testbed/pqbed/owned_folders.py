"""Temporary folders with an owner: locked by the process that made them, so that what a killed one left is known.

A folder's file OWNER names the process (its id and start time, proc_pid_stat(5)) for a reader, and is locked by it. The
kernel ends the lock with the process, in whatever namespace of processes it ran.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from pqbed.errors import HostError

PREFIX = "pqbed-"
OWNER = "owner"
# The owner is written under this name first: it is locked by the time that it has its own.
_UNLOCKED = ".owner"
# A folder without an owner is being made, or was left by a process killed at just that moment.
MAKING_S = 60


class OwnedFolder:
    """A folder that only this user can enter, until `remove` or until this process ends."""

    def __init__(self, purpose: str, parent: Path | str | None = None) -> None:
        """Make a folder in `parent`, by default the system's for temporary files. Raises HostError if it cannot."""
        where = Path(parent or tempfile.gettempdir())
        try:
            self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-", dir=where))
            try:
                self._owner: int | None = _lock_new_owner(self.path)
            except BaseException:
                shutil.rmtree(self.path, ignore_errors=True)
                raise
        except OSError as error:
            raise HostError(
                f"no temporary folder can be made in {where}: {(error.strerror or str(error)).lower()}",
                "free some space there, or set TMPDIR to another folder",
            ) from error

    def remove(self) -> None:
        """Remove the folder with everything in it. Safe to call twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        owner, self._owner = self._owner, None
        if owner is not None:
            os.close(owner)


@contextlib.contextmanager
def owned_folder(purpose: str, parent: Path | str | None = None) -> Iterator[Path]:
    """Yield a new folder that is removed with the block."""
    folder = OwnedFolder(purpose, parent)
    try:
        yield folder.path
    finally:
        folder.remove()


def remove_abandoned(parents: Iterable[Path]) -> tuple[Path, ...]:
    """Remove the folders in `parents` that processes of this user left when they were killed; return their paths."""
    found = {path.resolve(): path for parent in parents for path in parent.glob(f"{PREFIX}*")}
    return tuple(path for path in sorted(found.values()) if _remove_abandoned(path))


def _lock_new_owner(folder: Path) -> int:
    descriptor = os.open(folder / _UNLOCKED, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(descriptor, _this_process().encode())
        (folder / _UNLOCKED).rename(folder / OWNER)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _this_process() -> str:
    """Return id and start time (clock ticks since the host started), where there is a /proc."""
    with contextlib.suppress(OSError):
        return f"{os.getpid()} {Path('/proc/self/stat').read_text().rpartition(')')[2].split()[19]}\n"
    return f"{os.getpid()}\n"


def _remove_abandoned(path: Path) -> bool:
    with contextlib.suppress(OSError):  # another process removes it at this moment, or may not be read
        if path.is_symlink() or not path.is_dir() or path.stat().st_uid != os.getuid():
            return False
        if not (path / OWNER).exists():
            return _remove_unfinished(path)
        descriptor = os.open(path / OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
        finally:
            os.close(descriptor)
        return True
    return False


def _remove_unfinished(path: Path) -> bool:
    """Remove a folder that has not been given its owner in time. One that holds anything is not ours."""
    if time.time() - path.stat().st_mtime < MAKING_S:
        return False
    (path / _UNLOCKED).unlink(missing_ok=True)
    path.rmdir()
    return True
