"""Whole files or none, and the operating system's refusals as sentences with a cure."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from pqbed.errors import StoreError

TEMPORARY_PREFIX = ".part-"

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Raise StoreError in place of an OSError that says `path` cannot be read or written."""
    try:
        yield
    except OSError as error:
        raise store_error(path, error) from error


def store_error(path: Path, error: OSError) -> StoreError:
    """Word `error`, met on `path`, for the one who can mend it."""
    if error.errno in _FULL:
        return StoreError(
            f"no space is left for {path}",
            "free some space, then continue with --resume: what was measured is kept",
        )
    if error.errno in _FORBIDDEN:
        return StoreError(f"{path} may not be written: {error.strerror}", "name another folder with --out")
    return StoreError(f"{path} cannot be used: {error.strerror or error}", "name another folder with --out")


def write_atomic(path: Path, content: bytes) -> None:
    """Put `content` at `path`, on the disk, so that a crash leaves the old file or the new one."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}.{secrets.token_hex(4)}")
    with told(path):
        try:
            write_synced(temporary, content)
            os.replace(temporary, path)  # noqa: PTH105 - one name for it, next to os.fsync
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_synced(path: Path, content: bytes) -> None:
    """Make the new file `path` and wait until the disk has it."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the disk has the names in `path`: a rename is durable only then (fsync(2))."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def drop_temporaries(folder: Path) -> None:
    """Remove what a killed `write_atomic` left in `folder`. Only for the one who may write there."""
    with told(folder):
        for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
            path.unlink(missing_ok=True)
