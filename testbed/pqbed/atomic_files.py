"""Atomic file writes; an OSError becomes a StoreError with a hint."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from pqbed.errors import StoreError

TEMPORARY_PREFIX = ".part-"
OUT_HINT = "name another folder with --out"

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextlib.contextmanager
def translate_os_errors(path: Path, hint: str = OUT_HINT) -> Iterator[None]:
    """Raise StoreError in place of an OSError that reading or writing `path` met."""
    try:
        yield
    except OSError as error:
        raise store_error(path, error, hint) from error


def store_error(path: Path, error: OSError, hint: str = OUT_HINT) -> StoreError:
    """Return `error`, met on `path`, as a StoreError; `hint` is for a folder that cannot be used."""
    if error.errno in _FULL:
        return StoreError(f"no space is left for {path}", "free some space, then try again")
    if error.errno in _FORBIDDEN:
        return StoreError(f"{path} may not be written: {error.strerror}", hint)
    return StoreError(f"{path} cannot be used: {error.strerror or error}", hint)


def write_atomic(path: Path, content: bytes, *, hint: str = OUT_HINT) -> None:
    """Write `content` to `path` so that a crash leaves the old file or the new one, whole and on the disk."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}.{secrets.token_hex(4)}")
    with translate_os_errors(path, hint):
        try:
            write_synced(temporary, content)
            os.replace(temporary, path)  # noqa: PTH105 - one name for it, next to os.fsync
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_synced(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Create the file `path` with `mode` (less the umask) from the start, and wait until the disk has it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - by its descriptor
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def append_synced(path: Path, content: bytes) -> None:
    """Append `content` to `path`, which is created if need be, and wait until the disk has it.

    A kill may leave a part of it at the end of the file; a failure leaves nothing.
    """
    with translate_os_errors(path):
        created = not path.exists()
        with path.open("ab", buffering=0) as file:
            size = file.tell()
            try:
                while content:  # a disk that is nearly full takes a part
                    content = content[file.write(content) :]
                os.fsync(file.fileno())
            except BaseException:
                file.truncate(size)
                raise
        if created:
            sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Wait until the disk has the names in `path`: a rename is durable only then (fsync(2))."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def drop_temporaries(folder: Path) -> None:
    """Remove what a killed `write_atomic` left in `folder`. Only for the process that holds the run's lock."""
    with translate_os_errors(folder):
        for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
            path.unlink(missing_ok=True)
