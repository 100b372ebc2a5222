"""SHA-256 sums of the sealed sample parts: `SHA256SUMS` of a run directory, in the format of sha256sum(1).

A flipped bit in a Parquet file can change a value without making the file unreadable. The sum of a part is written
before the part itself, and a part is never changed afterwards: a sum without a part and without a journal is a lost
part. Parts of older versions of pqbed have no sum.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pqbed.atomic_files import translate_os_errors, write_atomic
from pqbed.errors import StoreError

SUMS_NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  samples/(part-[A-Za-z0-9._-]+\.parquet)")
DAMAGE_HINT = "restore it from a copy; `pqbed verify RUN` checks the whole run"


def read_sums(run: Path) -> dict[str, str]:
    """Return the hexadecimal sum of each part by its name; empty in a run of an older version.

    Raises StoreError if the file is damaged.
    """
    path = run / SUMS_NAME
    with translate_os_errors(path):
        try:
            text = path.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return {}
    lines = [_LINE.fullmatch(line) for line in text.splitlines()]
    if None in lines:
        raise StoreError(f"{path} has a line that is not a SHA-256 sum", DAMAGE_HINT)
    return {match[2]: match[1] for match in lines if match is not None}


def add_sum(run: Path, name: str, content: bytes) -> None:
    """Store the sum of the part `name`, which is to have this content."""
    sums = read_sums(run) | {name: hashlib.sha256(content).hexdigest()}
    _write_sums(run / SUMS_NAME, sums)


def drop_sum(run: Path, name: str) -> None:
    """Forget the sum of a part that was not written."""
    sums = read_sums(run)
    if sums.pop(name, None) is not None:
        _write_sums(run / SUMS_NAME, sums)


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


def _write_sums(path: Path, sums: Mapping[str, str]) -> None:
    lines = [f"{digest}  samples/{name}\n" for name, digest in sorted(sums.items())]
    write_atomic(path, "".join(lines).encode())
