"""Run directory: any process may read it, one at a time may write it.

Writing is safe against a kill at any moment, because every step is one rename or one removal:

1. a sample is a whole line in `journal/<stem>.ndjson`;
2. sealing adds the SHA-256 of the part to `SHA256SUMS`, then
3. puts the same rows into `samples/part-<stem>.parquet` (hidden name, sync, rename, sync of the folder);
4. only then is the journal removed.

A journal whose part exists was therefore left between 3 and 4, and is never read. A part that comes sealed from a
worker of a cluster is written by the same steps, with an empty journal: if it is left without its part, the sum of the
part is forgotten, and its samples are measured again.
"""

import contextlib
import errno
import io
import itertools
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from pqbed.atomic_files import drop_temporaries, sync_folder, translate_os_errors, write_atomic, write_synced
from pqbed.errors import StoreError
from pqbed.store.calibration_table import CALIBRATION, CALIBRATION_ID, CALIBRATION_NAME
from pqbed.store.checksums import DAMAGE_HINT, PartSums, check_part, lost_parts, read_sums
from pqbed.store.cpu_table import CPU, CPU_ID, CPU_NAME
from pqbed.store.journal import Journal, read_journal
from pqbed.store.manifest import MANIFEST_NAME, NO_RUN_HINT, Manifest, dump_manifest, read_manifest, write_manifest
from pqbed.store.precision_table import PRECISION, PRECISION_ID, PRECISION_NAME
from pqbed.store.run_lock import Lock
from pqbed.store.table_schemas import CELLS, CELLS_ID, SAMPLES, SAMPLES_ID, SUMMARY, SUMMARY_ID, check_id, conform

JOURNAL_FOLDER = "journal"
SAMPLES_FOLDER = "samples"
# A folder with this prefix is a run being created, or was left by a killed process: then nothing locks it.
MAKING_PREFIX = ".making-"
_STALE_S = 60
_SCHEMA_KEY = "schema"


class Run:
    """One run directory. Reading needs no lock; the first write takes it, `close` releases it."""

    def __init__(self, path: Path, lock: Lock | None = None) -> None:
        self.path = path
        self._lock = lock
        self._journals: dict[int, Journal] = {}
        self._mutex = threading.RLock()
        self._checked: set[Path] = set()
        self._parts_of_lane: dict[int, int] = {}
        self._sums: PartSums | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.path)

    def claim(self) -> None:
        """Become the one writer, and remove what a killed one left. Raises StoreError if another process writes."""
        with self._mutex:
            if self._lock is None:
                self._lock = Lock(self.path)
                self._recover()

    def journal(self, lane: int) -> Journal:
        """Return the open journal of `lane`; each process that works on the run starts a new file."""
        self.claim()
        with self._mutex:
            if lane not in self._journals:
                self._journals[lane] = Journal(self._new_journal_path(lane))
            return self._journals[lane]

    def add_part(self, lane: int, rows: pl.DataFrame) -> None:
        """Store `rows`, samples of `lane`, as one part: all of them or none."""
        self.claim()
        with self._mutex:
            journal = self._new_journal_path(lane)
            with translate_os_errors(journal):
                write_synced(journal, b"")
            self._write_part(journal, rows)
            _remove(journal)

    def seal(self) -> None:
        """Turn every journal into a part. A failure leaves the remaining journals as they are."""
        self.claim()
        with self._mutex:
            self._close_journals()
            for path in self._journal_paths():
                self._seal_journal(path)

    def close(self) -> None:
        """Close the journals without sealing them, and let others write. Safe to call twice."""
        with self._mutex:
            try:
                self._close_journals()
            finally:
                self._sums = None  # others may write from now on
                self._parts_of_lane.clear()
                lock, self._lock = self._lock, None
                if lock is not None:
                    lock.release()

    def discard(self) -> bool:
        """Remove a run without samples, and return whether it was removed. A run with a sample stays."""
        if self.finished():
            return False
        self.close()
        with contextlib.suppress(FileNotFoundError):  # someone else removed it
            shutil.rmtree(self.path)
        return True

    def write_manifest(self, manifest: Manifest) -> None:
        self.claim()
        write_manifest(self.path, manifest)

    def write_cells(self, cells: pl.DataFrame) -> None:
        self.claim()
        _write_table(self.path / "cells.parquet", conform(cells, CELLS), CELLS_ID)

    def write_summary(self, summary: pl.DataFrame) -> None:
        self.claim()
        _write_table(self.path / "summary.parquet", conform(summary, SUMMARY), SUMMARY_ID)

    def samples(self) -> pl.LazyFrame:
        """Return all samples, sealed or not. Consistent even while another process writes the run.

        Raises StoreError if a part is damaged or lost. A part is read for its sum once: it never changes.
        """
        return pl.concat([SAMPLES.to_frame().lazy(), *self._sample_tables()])

    def sample_batches(self, rows: int) -> Iterator[pl.DataFrame]:
        """Yield all samples in their order, `rows` at most at a time: never all of them in memory."""
        for table in self._sample_tables():
            for start in range(0, table.select(pl.len()).collect().item(), rows):
                yield table.slice(start, rows).collect()

    def _sample_tables(self) -> list[pl.LazyFrame]:
        journals = self._read_journals()  # before the parts: sealing moves rows from here to there
        parts = self._part_paths()
        self._check(parts)
        sealed = [_scan_table(path, SAMPLES, SAMPLES_ID) for path in parts]
        live = [rows.lazy() for path, rows in journals.items() if self._part_path(path) not in parts]
        return [*sealed, *live]

    def cells(self) -> pl.LazyFrame:
        """Return the cells table; no rows before the first lane has opened. Raises StoreError if it is missing.

        It is written before the first sample.
        """
        path = self.path / "cells.parquet"
        if not path.exists() and (self._part_paths() or any(path.stat().st_size for path in self._journal_paths())):
            raise StoreError(f"{path} is missing, and there are samples", DAMAGE_HINT)
        return _scan_table(path, CELLS, CELLS_ID)

    def summary(self) -> pl.LazyFrame:
        """Return the summary; no rows before one was written."""
        return _scan_table(self.path / "summary.parquet", SUMMARY, SUMMARY_ID)

    def add_calibration(self, row: Mapping[str, Any]) -> None:
        """Store one row of `store.calibration.CALIBRATION` at once. Thread-safe."""
        with self._mutex:
            self.claim()
            new = conform(pl.DataFrame([row], schema_overrides=CALIBRATION), CALIBRATION)
            whole = pl.concat([self.calibration(), new])
            _write_table(self.path / CALIBRATION_NAME, whole, CALIBRATION_ID)

    def calibration(self) -> pl.DataFrame:
        """Return the calibrations of the links; no rows without any."""
        return _scan_table(self.path / CALIBRATION_NAME, CALIBRATION, CALIBRATION_ID).collect()

    def write_cpu(self, cpu: pl.DataFrame) -> None:
        self.claim()
        _write_table(self.path / CPU_NAME, conform(cpu, CPU), CPU_ID)

    def cpu(self) -> pl.LazyFrame:
        """Return the CPU cost measured in addition to the run; no rows without any."""
        return _scan_table(self.path / CPU_NAME, CPU, CPU_ID)

    def write_precision(self, precision: pl.DataFrame) -> None:
        self.claim()
        _write_table(self.path / PRECISION_NAME, conform(precision, PRECISION), PRECISION_ID)

    def precision(self) -> pl.LazyFrame:
        """Return the precision of each comparison; no rows without a requested precision, or before the run ended."""
        return _scan_table(self.path / PRECISION_NAME, PRECISION, PRECISION_ID)

    def finished(self) -> set[tuple[str, int]]:
        """Return (cell_id, repetition) of every fetch that has its sample, good or bad."""
        return set(self.samples().select("cell_id", "repetition").collect().rows())

    def _recover(self) -> None:
        for folder in (self.path, self.path / JOURNAL_FOLDER, self.path / SAMPLES_FOLDER):
            drop_temporaries(folder)
        for path in self._journal_paths():
            if self._part_path(path).exists():
                _remove(path)
            elif not path.stat().st_size:
                self._part_sums().drop(self._part_path(path).name)
                _remove(path)

    def _check(self, parts: list[Path]) -> None:
        folder = self.path / SAMPLES_FOLDER
        sums = read_sums(self.path)
        for part in parts:
            if part not in self._checked:
                check_part(part, sums)
                self._checked.add(part)
        unseen = sums.keys() - {part.name for part in parts}
        for name in lost_parts(folder, self.path / JOURNAL_FOLDER, sorted(unseen)):
            raise StoreError(f"{folder / name} is missing", DAMAGE_HINT)

    def _seal_journal(self, path: Path) -> None:
        rows = read_journal(path)
        if not rows.is_empty():
            self._write_part(path, rows)
        _remove(path)

    def _write_part(self, journal: Path, rows: pl.DataFrame) -> None:
        part = self._part_path(journal)
        content = _table_bytes(rows, SAMPLES_ID)
        self._part_sums().add(part.name, content)
        write_atomic(part, content)

    def _part_sums(self) -> PartSums:
        if self._sums is None:
            self._sums = PartSums(self.path)
        return self._sums

    def _close_journals(self) -> None:
        while self._journals:
            _, journal = self._journals.popitem()
            journal.close()

    def _read_journals(self) -> dict[Path, pl.DataFrame]:
        journals = {}
        for path in self._journal_paths():
            try:
                journals[path] = read_journal(path)
            except StoreError:
                if path.exists():  # else it was sealed meanwhile, and its part holds the rows
                    raise
        return journals

    def _new_journal_path(self, lane: int) -> Path:
        if lane not in self._parts_of_lane:
            stems = [path.stem for path in (*self._journal_paths(), *self._part_paths())]
            taken = [int(number) for stem in stems for number in re.findall(rf"lane-{lane:03d}-(\d+)$", stem)]
            self._parts_of_lane[lane] = max(taken, default=0)
        self._parts_of_lane[lane] += 1
        return self.path / JOURNAL_FOLDER / f"lane-{lane:03d}-{self._parts_of_lane[lane]:04d}.ndjson"

    def _journal_paths(self) -> list[Path]:
        return sorted((self.path / JOURNAL_FOLDER).glob("lane-*.ndjson"))

    def _part_paths(self) -> list[Path]:
        return sorted((self.path / SAMPLES_FOLDER).glob("part-*.parquet"))

    def _part_path(self, journal: Path) -> Path:
        return self.path / SAMPLES_FOLDER / f"part-{journal.stem}.parquet"


def create_run(out: Path, name: str, manifest: Manifest, files: Mapping[str, str]) -> Run:
    """Create `out`/<utc>-<name>/ with its manifest and `files` (name to text) atomically.

    The run is claimed. Raises StoreError if `out` cannot be written.
    """
    with translate_os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        _drop_stale(out)
        making = out / f"{MAKING_PREFIX}{secrets.token_hex(8)}"
        making.mkdir()
        lock: Lock | None = None
        try:
            lock = Lock(making)
            _fill(
                making, {MANIFEST_NAME: dump_manifest(manifest)} | {key: text.encode() for key, text in files.items()}
            )
            path = place_folder(making, out, name)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            if lock is not None:
                lock.release()
            raise
        return Run(path, lock)


def open_run(path: Path) -> Run:
    """Return the run at `path`, unclaimed. Raises StoreError if there is none, or one of a newer pqbed."""
    if not path.is_dir():
        raise StoreError(f"there is no run at {path}", NO_RUN_HINT)
    finished = read_manifest(path).state == "finished"
    for folder in (JOURNAL_FOLDER, SAMPLES_FOLDER):
        # That of a finished run is empty, and no repository keeps empty folders.
        if not (path / folder).is_dir() and not (finished and folder == JOURNAL_FOLDER):
            raise StoreError(f"{path} is not a complete run directory: it has no {folder}/", NO_RUN_HINT)
    return Run(path)


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name in (JOURNAL_FOLDER, SAMPLES_FOLDER):
        (folder / name).mkdir()
    for name, content in files.items():
        write_synced(folder / name, content)
    sync_folder(folder)


def place_folder(making: Path, out: Path, name: str) -> Path:
    """Rename `making` to the first free name `out`/<utc>-<name>[-N], and return it."""
    stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}"
    for attempt in itertools.count(1):
        path = out / (stem if attempt == 1 else f"{stem}-{attempt}")
        with contextlib.suppress(FileExistsError):  # a rename onto a directory that is not empty fails
            if not path.exists():
                _rename_folder(making, path)
                sync_folder(out)
                return path
    raise AssertionError


def _rename_folder(old: Path, new: Path) -> None:
    try:
        old.rename(new)
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:  # another process was first
            raise FileExistsError(error.errno, error.strerror, str(new)) from error
        raise


def _drop_stale(out: Path) -> None:
    for folder in out.glob(f"{MAKING_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError, StoreError):
            # The lock is held before there is a manifest, so that asking for it disturbs nobody.
            if (folder / MANIFEST_NAME).exists() or time.time() - folder.stat().st_mtime > _STALE_S:
                lock = Lock(folder)
                shutil.rmtree(folder, ignore_errors=True)
                lock.release()


def _write_table(path: Path, frame: pl.DataFrame, schema_id: str) -> None:
    write_atomic(path, _table_bytes(frame, schema_id))


def _table_bytes(frame: pl.DataFrame, schema_id: str) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, metadata={_SCHEMA_KEY: schema_id})
    return buffer.getvalue()


def _scan_table(path: Path, schema: pl.Schema, schema_id: str) -> pl.LazyFrame:
    if not path.exists():
        return schema.to_frame().lazy()
    try:
        with translate_os_errors(path):
            check_id(pl.read_parquet_metadata(path).get(_SCHEMA_KEY), schema_id, path)
            return _select(pl.scan_parquet(path), schema)
    except pl.exceptions.PolarsError as error:
        raise StoreError(f"{path} cannot be read: {error}", "the file is damaged: restore it from a copy") from error


def _select(frame: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """Return the columns of `schema`: null for those that an older pqbed did not write, without newer ones."""
    present = set(frame.collect_schema())
    return frame.select([pl.col(n) if n in present else pl.lit(None, kind).alias(n) for n, kind in schema.items()])


def _remove(path: Path) -> None:
    with translate_os_errors(path):
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
