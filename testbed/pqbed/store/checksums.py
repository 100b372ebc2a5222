"""SHA-256 sums of the sealed sample parts: `SHA256SUMS` of a run directory, in the format of sha256sum(1).

A flipped bit in a Parquet file can change a value without making the file unreadable. The sum of a part is written
before the part itself, and a part is never changed afterwards: a sum without a part and without a journal is a lost
part. It is appended, so that the cost of a part does not grow with their number. Parts of older versions of pqbed have
no sum.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pqbed.atomic_files import append_synced, translate_os_errors, write_atomic
from pqbed.errors import StoreError

SUMS_NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  samples/(part-[A-Za-z0-9._-]+\.parquet)")
# The beginning of such a line.
_BROKEN_OFF = re.compile(
    r"[0-9a-f]{0,64}|[0-9a-f]{64} {1,2}(?:s(?:[a-z]{0,6}|amples/(?!.*\.parquet.)[A-Za-z0-9._-]*))?"
)
DAMAGE_HINT = "restore it from a copy; `pqbed verify RUN` checks the whole run"


def read_sums(run: Path) -> dict[str, str]:
    """Return the hexadecimal sum of each part by its name; empty in a run of an older version.

    Raises StoreError if the file is damaged. A last line that breaks off is no damage: its part was never written.
    """
    path = run / SUMS_NAME
    with translate_os_errors(path):
        try:
            text = path.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return {}
    *lines, last = text.split("\n")
    if _LINE.fullmatch(last) or not _BROKEN_OFF.fullmatch(last):
        lines.append(last)
    matches = [_LINE.fullmatch(line) for line in lines]
    if None in matches:
        raise StoreError(f"{path} has a line that is not a SHA-256 sum", DAMAGE_HINT)
    return {match[2]: match[1] for match in matches if match is not None}


class PartSums:
    """The sums of a run, for the one process that writes it. A sum costs one line, however many there are."""

    def __init__(self, run: Path) -> None:
        self._path = run / SUMS_NAME
        self._sums = read_sums(run)
        with translate_os_errors(self._path):
            # What a killed process broke off would run into the next line.
            if self._path.exists() and not _ends_a_line(self._path):
                self._write_all()

    def add(self, name: str, content: bytes) -> None:
        """Store the sum of the part `name`, which is to have this content."""
        known = name in self._sums  # a process was killed between the sum and its part
        self._sums[name] = hashlib.sha256(content).hexdigest()
        if known:
            self._write_all()
        else:
            append_synced(self._path, _line(name, self._sums[name]))

    def drop(self, name: str) -> None:
        """Forget the sum of a part that was not written."""
        if self._sums.pop(name, None) is not None:
            self._write_all()

    def _write_all(self) -> None:
        write_atomic(self._path, b"".join(_line(name, digest) for name, digest in self._sums.items()))


def check_part(part: Path, sums: Mapping[str, str]) -> None:
    """Raise StoreError unless `part` is what was written, or has no sum."""
    if part.name not in sums:
        return
    with translate_os_errors(part), part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sums[part.name]:
        raise StoreError(f"{part} is damaged: its SHA-256 is not the one it was written with", DAMAGE_HINT)


def lost_parts(folder: Path, journals: Path, names: Iterable[str]) -> list[str]:
    """Return those of the parts `names` that exist neither as a part nor as the journal that is to become one."""
    # In this order: a journal is removed only after its part exists.
    unsealed = [name for name in names if not (journals / journal_name(name)).exists()]
    return [name for name in unsealed if not (folder / name).exists()]


def journal_name(part: str) -> str:
    """Return the name of the journal that `part-<stem>.parquet` was sealed from."""
    return part.removeprefix("part-").removesuffix(".parquet") + ".ndjson"


def _line(name: str, digest: str) -> bytes:
    return f"{digest}  samples/{name}\n".encode()


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"
