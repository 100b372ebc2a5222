import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed import atomic_files
from pqbed.beds.fake_bed import FakeBed
from pqbed.errors import StoreError
from pqbed.runner import run_sweep
from pqbed.store import run_directory as run_module
from pqbed.store.journal import sample_to_line
from pqbed.store.manifest import MANIFEST_NAME, read_manifest, write_manifest
from pqbed.store.run_directory import MAKING_PREFIX, Run, open_run
from pqbed.store.run_lock import Lock
from pqbed.store.table_schemas import SAMPLES, SAMPLES_ID
from support.sweeps import files, held, manifest, new_run, sample, small_plan


def fill(run: Run, numbers: Any, lane: int = 0) -> None:
    for number in numbers:
        run.journal(lane).append(sample(number))


def test_a_new_run_is_whole(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        assert run.path.parent == tmp_path
        assert run.path.name.endswith("Z-small")
        assert {"manifest.json", "sweep.toml"} <= set(files(run.path))
    assert [path.name for path in tmp_path.iterdir()] == [run.path.name]
    assert open_run(run.path).finished() == set()


def test_two_runs_of_one_second_have_two_names(tmp_path: Path) -> None:
    with new_run(tmp_path) as first, new_run(tmp_path) as second:
        assert first.path != second.path


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    with run_module.create_run(tmp_path / "out", "../../etc passwd", manifest(), {}) as run:
        assert run.path.parent == tmp_path / "out"


def test_nothing_half_made_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Path) -> None:
        raise OSError(5, "input/output error")

    monkeypatch.setattr(run_module, "sync_folder", fail)
    with pytest.raises(StoreError, match="input/output error"):
        new_run(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_a_run_without_samples_is_discarded(tmp_path: Path) -> None:
    with new_run(tmp_path) as measured:
        fill(measured, [0])
        assert not measured.discard()
    with new_run(tmp_path) as empty:
        assert empty.discard()
    assert [path.name for path in tmp_path.iterdir()] == [measured.path.name]


def test_what_a_killed_maker_left_long_ago_is_removed(tmp_path: Path) -> None:
    stale, fresh = tmp_path / f"{MAKING_PREFIX}old", tmp_path / f"{MAKING_PREFIX}new"
    for folder in (stale, fresh):
        folder.mkdir()
    os.utime(stale, (0, 0))
    new_run(tmp_path).close()
    assert fresh.exists()
    assert not stale.exists()


def test_what_a_killed_maker_left_just_now_is_removed_once_it_has_a_manifest(tmp_path: Path) -> None:
    killed, alive = tmp_path / f"{MAKING_PREFIX}killed", tmp_path / f"{MAKING_PREFIX}alive"
    for folder in (killed, alive):
        folder.mkdir()
        (folder / MANIFEST_NAME).write_text("{}")
    lock = Lock(alive)
    new_run(tmp_path).close()
    assert alive.exists()
    assert not killed.exists()
    lock.release()


def test_sealing_moves_samples_from_journals_to_parts(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        fill(run, range(3))
        fill(run, range(3, 5), lane=1)
        live = held(run)
        run.seal()
        assert held(run) == live
        assert not list((run.path / "journal").iterdir())
        fill(run, range(5, 7))
        assert len(run.finished()) == 7
        run.seal()
    parts = sorted(path.name for path in (run.path / "samples").glob("part-*"))
    assert parts == ["part-lane-000-0001.parquet", "part-lane-000-0002.parquet", "part-lane-001-0001.parquet"]
    metadata = pl.read_parquet_metadata(run.path / "samples" / parts[0])
    assert metadata["schema"] == SAMPLES_ID
    assert pl.read_parquet_schema(run.path / "samples" / parts[0]) == SAMPLES


def test_an_empty_journal_makes_no_part(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        run.journal(0)
        run.seal()
        assert not list(run.path.glob("*/*"))


def test_a_journal_whose_part_exists_is_not_read_and_is_dropped(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        fill(run, range(3))
        run.seal()
    leftover = run.path / "journal" / "lane-000-0001.ndjson"
    leftover.write_bytes(b"".join(sample_to_line(sample(number)) for number in range(3)))
    again = open_run(run.path)
    assert len(held(again)) == 3
    again.claim()
    assert not leftover.exists()
    again.close()


def test_a_part_that_was_not_renamed_is_not_read_and_is_dropped(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        fill(run, range(3))
    temporary = run.path / "samples" / ".part-part-lane-000-0001.parquet.0a0b0c0d"
    temporary.write_bytes(b"PAR1 torn")
    with open_run(run.path) as again:
        assert len(held(again)) == 3
        again.seal()
        assert not temporary.exists()
        assert len(held(again)) == 3


def test_a_journal_left_by_a_killed_process_is_sealed_with_the_next(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        fill(run, range(3))
    with open_run(run.path) as again:
        fill(again, range(3, 5))
        again.seal()
    assert len(list((run.path / "samples").glob("part-*"))) == 2
    assert len(held(run)) == 5


def test_one_process_writes_and_others_read(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        fill(run, range(2))
        other = open_run(run.path)
        assert len(other.finished()) == 2
        with pytest.raises(StoreError, match="another process is writing"):
            other.claim()
        with pytest.raises(StoreError, match="another process"):
            other.seal()
    other.claim()
    other.close()


def test_the_lock_is_not_inherited_by_programs_that_are_started(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    child = subprocess.Popen(["sleep", "30"])
    try:
        run.close()
        open_run(run.path).claim()
    finally:
        child.kill()
        child.wait()


def test_a_reader_sees_each_sample_once_while_the_run_is_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_run(tmp_path) as run:
        fill(run, range(3))
        reader = open_run(run.path)
        parts = reader._part_paths

        def seal_between() -> list[Path]:
            run.seal()
            return parts()

        monkeypatch.setattr(reader, "_part_paths", seal_between)
        assert len(held(reader)) == 3


def test_a_finished_run_is_read_without_the_empty_folder_that_a_repository_drops(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        path = run.path
    (path / "journal").rmdir()
    with pytest.raises(StoreError, match="it has no journal/"):
        open_run(path)
    write_manifest(path, replace(read_manifest(path), state="finished"))
    with open_run(path) as run:
        assert run.samples().collect().is_empty()


@pytest.mark.parametrize("make", [lambda _: None, lambda path: path.mkdir(), lambda path: path.write_text("x")])
def test_what_is_no_run_is_refused(tmp_path: Path, make: Callable[..., Any]) -> None:
    make(tmp_path / "x")
    with pytest.raises(StoreError) as raised:
        open_run(tmp_path / "x")
    assert raised.value.hint


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": "other/1"}', '{"schema": "pqbed.run/1"}'])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    run = new_run(tmp_path)
    run.close()
    (run.path / "manifest.json").write_text(text)
    with pytest.raises(StoreError):
        open_run(run.path)


def test_a_run_of_a_newer_pqbed_is_refused(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    run.close()
    path = run.path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": "pqbed.run/2"}))
    with pytest.raises(StoreError, match="newer"):
        open_run(run.path)


def test_samples_of_a_newer_schema_are_refused(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        SAMPLES.to_frame().write_parquet(
            run.path / "samples" / "part-x.parquet", metadata={"schema": "pqbed.samples/2"}
        )
        with pytest.raises(StoreError, match=r"pqbed\.samples/2, newer than the pqbed\.samples/1"):
            run.samples()


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 100])
def test_a_damaged_part_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    with new_run(tmp_path) as run:
        (run.path / "samples" / "part-x.parquet").write_bytes(content)
        with pytest.raises(StoreError, match=r"part-x\.parquet"):
            run.samples()


def test_columns_added_later_do_not_disturb_this_reader_nor_those_missing(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        fill(run, range(2))
        run.seal()
        part = run.path / "samples" / "part-lane-000-0001.parquet"
        changed = pl.read_parquet(part).drop("cwnd").with_columns(later=1)
        changed.write_parquet(part, metadata={"schema": SAMPLES_ID})
        (run.path / "SHA256SUMS").unlink()  # as of an older version
        table = run.samples().collect()
    assert table.schema == SAMPLES
    assert table["cwnd"].null_count() == 2


@contextmanager
def plain_user() -> Iterator[None]:
    """Be a user without privileges where we are root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_may_not_be_written() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o555)
        with plain_user(), pytest.raises(StoreError, match="may not be written") as raised:
            new_run(folder)
        assert "--out" in raised.value.hint
        assert list(folder.iterdir()) == []
    finally:
        shutil.rmtree(folder)


def test_an_out_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(StoreError):
        new_run(tmp_path / "out")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a disk of 512 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("needs CAP_SYS_ADMIN to mount a tmpfs")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_loses_and_tears_nothing_and_the_run_goes_on_when_there_is_space(small_disk: Path) -> None:
    plan = small_plan(samples=400)
    run = new_run(small_disk)
    with run, pytest.raises(StoreError, match="no space is left") as raised:
        run_sweep(plan, FakeBed(), run, lanes=2)
    assert "free some space" in raised.value.hint
    kept = len(held(run))
    assert 0 < kept < plan.fetch_count
    assert not list(run.path.glob("**/.part-*"))
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    with open_run(run.path) as again:
        assert again.finished() >= set(held(run))
        outcome = run_sweep(plan, FakeBed(), again, lanes=2)
        assert outcome.state == "finished"
        assert len(held(again)) == len(set(held(again))) == plan.fetch_count


def test_a_journal_is_not_torn_by_a_full_disk(small_disk: Path) -> None:
    with new_run(small_disk) as run:
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * (490 - 40) * 1024)
        with pytest.raises(StoreError, match="no space"):
            fill(run, range(10_000))
        before = len(held(run))
        filler.unlink()
        run.journal(0).append(sample(99_999))
        assert len(held(run)) == before + 1


def test_an_old_file_stays_where_a_new_one_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    atomic_files.write_atomic(path, b"old")

    def fail(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="no space is left"):
        atomic_files.write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_hundred_thousand_samples_are_read_soon(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        journal = run.journal(0)
        lines = b"".join(sample_to_line(sample(number)) for number in range(1000))
        with journal.path.open("ab") as file:
            for _ in range(100):
                file.write(lines)
        started = time.monotonic()
        run.seal()
        assert run.samples().select(pl.len()).collect().item() == 100_000
        assert time.monotonic() - started < 20
