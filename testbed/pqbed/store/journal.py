"""Journal of samples: one JSON line per sample, written at once, so that a killed process loses none.

Only the end of the file can be torn, by a kill during a write: anything after the last newline is not a sample.
"""

import io
import json
import os
import threading
from pathlib import Path

import polars as pl

from pqbed.atomic_files import store_error, translate_os_errors
from pqbed.errors import StoreError
from pqbed.spec.sample import Sample
from pqbed.store.table_schemas import SAMPLES, sample_to_row


class Journal:
    """Appends samples to one new file. Owns its descriptor until `close`; thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._length = 0
        with translate_os_errors(path):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._descriptor: int | None = os.open(path, flags, 0o644)

    def append(self, sample: Sample) -> None:
        """Append one line. Raises StoreError, and removes a half-written line, if the disk is full."""
        line = sample_to_line(sample)
        with self._lock:
            if self._descriptor is None:
                raise StoreError(f"the journal {self.path} is closed", "continue the run with --resume")
            if not self.path.exists():  # by its path: its folder may have been renamed, too
                raise StoreError(f"the journal {self.path} was removed while it was written", "start a new run")
            try:
                _write_whole(self._descriptor, line)
            except OSError as error:
                os.ftruncate(self._descriptor, self._length)
                raise store_error(self.path, error) from error
            self._length += len(line)

    def close(self) -> None:
        """Sync to the disk and close. Safe to call twice."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is None:
                return
            try:
                with translate_os_errors(self.path):
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)


def sample_to_line(sample: Sample) -> bytes:
    """Return `sample` as JSON and a newline. Lone surrogates become question marks."""
    text = json.dumps(sample_to_row(sample), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


def read_journal(path: Path) -> pl.DataFrame:
    """Return the samples in `path`. A torn last line is dropped; any other unreadable line is a StoreError."""
    with translate_os_errors(path):
        content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    try:
        return pl.read_ndjson(io.BytesIO(whole), schema=SAMPLES)
    except pl.exceptions.PolarsError as error:
        raise StoreError(
            f"{path} contains a line that is no sample: {error}",
            "the file was changed or the disk failed: repair or remove that line, then continue with --resume",
        ) from error


def _write_whole(descriptor: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
