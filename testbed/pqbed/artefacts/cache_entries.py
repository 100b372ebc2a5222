"""Cache entries named by a hash of their inputs, built atomically by one process at a time, compared before use."""

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pqbed.artefacts.folder_integrity import VERIFIED_SUFFIX, find_damage, seal
from pqbed.atomic_files import sync_folder
from pqbed.errors import HostError

KEY_LENGTH = 16


def hash_inputs(*inputs: str | bytes | Path) -> str:
    """Hash text, bytes, files and folders (names and contents, never times) in the order given."""
    digest = hashlib.sha256()
    for item in inputs:
        for name, data in _parts(item):
            digest.update(f"{name}\0{len(data)}\0".encode())
            digest.update(data)
    return digest.hexdigest()[:KEY_LENGTH]


def _parts(item: str | bytes | Path) -> Iterator[tuple[str, bytes]]:
    if isinstance(item, str):
        yield "text", item.encode()
    elif isinstance(item, bytes):
        yield "bytes", item
    elif item.is_dir():
        for path in sorted(item.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(item).as_posix(), path.read_bytes()
    else:
        yield item.name, item.read_bytes()


@contextmanager
def building(
    entry: Path,
    on_wait: Callable[[], None] = lambda: None,
    on_damage: Callable[[str], None] = lambda _: None,
    excluded: Sequence[str] = (),
) -> Iterator[Path | None]:
    """Yield an empty folder that becomes `entry` if the block succeeds, or None if `entry` is there and as it was made.

    A damaged entry is made again, and `on_damage` called with what is wrong. Waits for another process that builds the
    same entry. A block that raises leaves nothing behind, and the next process removes what a killed one left. The
    contents of the folders `excluded` may change later.
    """
    if not find_damage(entry):
        yield None
        return
    entry.parent.mkdir(parents=True, exist_ok=True)
    partial = entry.with_name(f"{entry.name}.partial")
    with _locked(entry.with_name(f"{entry.name}.lock"), on_wait):
        damage = find_damage(entry)
        if not damage:
            yield None
            return
        if entry.exists():
            on_damage(damage)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
            seal(partial, excluded)
            if entry.exists():
                shutil.rmtree(entry)
            partial.replace(entry)
            sync_folder(entry.parent)
            entry.with_name(entry.name + VERIFIED_SUFFIX).touch()
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _locked(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    # The lock file stays: removing it would let two processes hold locks on two files of one name.
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def require_space(needs: Sequence[tuple[Path, int]]) -> None:
    """Raise HostError unless each folder's file system has that many bytes free, summed per file system."""
    wanted: dict[int, tuple[Path, int]] = {}
    for folder, size in needs:
        present = next(path for path in (folder, *folder.parents) if path.exists())
        device = present.stat().st_dev
        wanted[device] = (present, wanted.get(device, (present, 0))[1] + size)
    for folder, size in wanted.values():
        free = shutil.disk_usage(folder).free
        if free < size:
            raise HostError(
                f"{folder} has {free >> 20} MiB free; building the artefacts takes {size >> 20} MiB",
                hint="free some space, or set XDG_CACHE_HOME (what is kept) and TMPDIR (what is built) to other disks",
            )
