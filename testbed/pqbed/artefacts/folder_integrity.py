"""List of a cached folder's contents with their hashes: written when it is made, compared before it is used.

`.contents.json` in the folder names every file with its size, time and SHA-256, every link with its target. What has
the same size and time as then is taken to be the same; once a day everything is read and hashed.
"""

import ctypes
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

CONTENTS = ".contents.json"
CONTENTS_ID = "pqbed.contents/1"
# Beside the folder: when it was last read in full.
VERIFIED_SUFFIX = ".verified"
FULL_INTERVAL_S = 24 * 3600.0
_BLOCK_BYTES = 1 << 20


def seal(folder: Path, excluded: Sequence[str] = ()) -> None:
    """Write the list of `folder` and wait until all of it is on the disk. Raises OSError.

    `excluded` are folders in it whose contents may change.
    """
    entries = {path: _describe(folder / path, info) for path, info in _walk(folder, frozenset(excluded))}
    document = {"schema": CONTENTS_ID, "excluded": list(excluded), "entries": entries}
    (folder / CONTENTS).write_text(json.dumps(document), encoding="utf-8")
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            raise OSError(ctypes.get_errno(), f"syncfs {folder}")
    finally:
        os.close(descriptor)


def find_damage(folder: Path, *, full: bool | None = None) -> str:
    """Return how `folder` differs from its list, "" if it does not.

    A folder that is not there, or has no list, is damaged. With `full` None every file is read if the last time was
    FULL_INTERVAL_S ago.
    """
    if not folder.is_dir():
        return "it is missing"
    try:
        document = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
        entries: dict[str, list[Any]] = document["entries"]
        excluded = frozenset(document["excluded"])
    except (OSError, ValueError, KeyError, TypeError):
        return "it has no list of its contents"
    marker = folder.with_name(folder.name + VERIFIED_SUFFIX)
    thorough = _is_due(marker) if full is None else full
    try:
        damage = _compare(folder, entries, excluded, thorough)
    except OSError as error:
        return f"{error.filename or folder} cannot be read: {error.strerror}"
    if thorough and not damage:
        with suppress(OSError):  # a cache that is read-only is read in full each time
            marker.touch()
    return damage


def _compare(folder: Path, entries: dict[str, list[Any]], excluded: frozenset[str], thorough: bool) -> str:
    seen = 0
    for path, info in _walk(folder, excluded):
        listed = entries.get(path)
        if listed is None:
            return f"{path} was added"
        seen += 1
        if _outline(folder / path, info) != listed[:3]:
            return f"{path} was changed"
        if thorough and stat.S_ISREG(info.st_mode) and _hash(folder / path) != listed[3]:
            return f"{path} was changed"
    if seen < len(entries):
        missing = next(path for path in sorted(entries) if not os.path.lexists(folder / path))
        return f"{missing} is missing"
    return ""


def _walk(folder: Path, excluded: frozenset[str], below: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Yield everything in `folder` by its path in it, folders included, without what is below `excluded` ones."""
    with os.scandir(folder / below) as items:
        for item in items:
            path = f"{below}{item.name}"
            if path == CONTENTS:
                continue
            info = item.stat(follow_symlinks=False)
            yield path, info
            if stat.S_ISDIR(info.st_mode) and path not in excluded:
                yield from _walk(folder, excluded, f"{path}/")


def _describe(path: Path, info: os.stat_result) -> list[Any]:
    outline = _outline(path, info)
    return [*outline, _hash(path)] if stat.S_ISREG(info.st_mode) else outline


def _outline(path: Path, info: os.stat_result) -> list[Any]:
    """Return what is cheap to compare: kind and permissions, size or target, time of the last change."""
    mode = stat.filemode(info.st_mode)
    if stat.S_ISLNK(info.st_mode):
        return [mode, str(path.readlink()), 0]
    if stat.S_ISREG(info.st_mode):
        return [mode, info.st_size, info.st_mtime_ns]
    return [mode, 0, 0]


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _is_due(marker: Path) -> bool:
    try:
        return not 0 <= time.time() - marker.stat().st_mtime < FULL_INTERVAL_S
    except OSError:
        return True
