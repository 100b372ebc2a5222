"""A writer of a run that is killed between any two statements of the store: nothing is lost, doubled or unreadable.

What a kill leaves are the files as they are at that moment. They are copied before every line of the modules that
write a run, and each copy is read, claimed and continued as a resumed sweep would.
"""

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import polars as pl
import pytest

from pqbed import atomic_files
from pqbed.store import checksums, run_directory
from pqbed.store.checksums import SUMS_NAME, read_sums
from pqbed.store.run_directory import Run, open_run
from pqbed.store.table_schemas import SAMPLES
from support.sweeps import files, new_run, sample

WRITERS = {str(module.__file__) for module in (atomic_files, checksums, run_directory)}
FIRST, LATER = range(3), range(3, 5)


def keys(numbers: range) -> set[tuple[str, int]]:
    return {("c" * 12, number) for number in numbers}


def rows(run: Run, numbers: range) -> pl.DataFrame:
    """Return samples as a table, as a worker of a cluster sends them."""
    other = new_run(run.path.parent / "worker")
    for number in numbers:
        other.journal(0).append(sample(number))
    table = other.samples().select(SAMPLES.names()).collect()
    shutil.rmtree(other.path)
    other.close()
    return table


def copies_of(run: Path, into: Path, act: Callable[[], None]) -> list[Path]:
    """Return a copy of `run` for each state that its files have while `act` runs."""
    states: dict[tuple[tuple[str, bytes], ...], Path] = {}

    def before_a_line(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in WRITERS:
            return None
        if event == "line":
            state = tuple((name, (run / name).read_bytes()) for name in files(run))
            if state not in states:
                states[state] = Path(shutil.copytree(run, into / str(len(states))))
        return before_a_line

    present = sys.gettrace()
    sys.settrace(before_a_line)
    try:
        act()
    finally:
        sys.settrace(present)
    return list(states.values())


def continues(path: Path, again: Callable[[Run], None]) -> None:
    """Read what was left, claim it, fetch what has no sample as a resumed sweep would, and count."""
    before = open_run(path).finished()
    assert before in (keys(FIRST), keys(FIRST) | keys(LATER))
    with open_run(path) as run:
        run.claim()
        run.seal()
        assert run.finished() == before
        parts = {part.name for part in (path / "samples").iterdir()}
        assert set(read_sums(path)) == parts
        if before == keys(FIRST):
            again(run)
    whole = open_run(path)
    assert whole.finished() == keys(FIRST) | keys(LATER)
    assert whole.samples().collect().height == len(FIRST) + len(LATER)
    lines = (path / SUMS_NAME).read_text().splitlines()
    assert sorted(re.findall(r"part-.*", "\n".join(lines))) == sorted(p.name for p in (path / "samples").iterdir())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run with a first part, claimed."""
    run = new_run(tmp_path / "out")
    for number in FIRST:
        run.journal(0).append(sample(number))
    run.seal()
    return run


def test_a_coordinator_killed_while_it_adds_a_part(run: Run, tmp_path: Path) -> None:
    later = rows(run, LATER)
    copies = copies_of(run.path, tmp_path, lambda: run.add_part(1, later))
    run.close()
    # Nothing yet; the empty journal; the sum; half a part; the part; the journal removed.
    assert len(copies) >= 6
    for path in copies:
        continues(path, lambda again: again.add_part(1, later))


def test_a_writer_killed_while_it_seals(run: Run, tmp_path: Path) -> None:
    for number in LATER:
        run.journal(1).append(sample(number))
    copies = copies_of(run.path, tmp_path, run.seal)
    run.close()
    assert len(copies) >= 5
    for path in copies:
        assert open_run(path).finished() == keys(FIRST) | keys(LATER)
        continues(path, lambda _: None)


def test_a_sum_that_breaks_off_anywhere(run: Run, tmp_path: Path) -> None:
    later = rows(run, LATER)
    run.add_part(1, later)
    run.close()
    (run.path / "samples" / "part-lane-001-0001.parquet").unlink()
    (run.path / "journal" / "lane-001-0001.ndjson").touch()
    whole = (run.path / SUMS_NAME).read_bytes()
    first, last = whole.splitlines(keepends=True)
    for length in range(len(last) + 1):
        path = Path(shutil.copytree(run.path, tmp_path / str(length)))
        (path / SUMS_NAME).write_bytes(first + last[:length])
        continues(path, lambda again: again.add_part(1, later))


def test_a_failure_to_store_a_sum_leaves_none_of_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (run.path / SUMS_NAME).read_bytes()
    later = rows(run, LATER)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(Exception, match="no space is left"):
            checksums.PartSums(run.path).add("part-lane-001-0001.parquet", b"")
    assert (run.path / SUMS_NAME).read_bytes() == before
    run.add_part(1, later)
    run.close()
    assert open_run(run.path).finished() == keys(FIRST) | keys(LATER)


def test_a_sum_costs_one_line_however_many_there_are(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    append = atomic_files.append_synced
    monkeypatch.setattr(checksums, "append_synced", lambda path, line: (written.append(len(line)), append(path, line)))
    monkeypatch.setattr(checksums, "read_sums", lambda _: pytest.fail("the sums were read again"))
    monkeypatch.setattr(checksums, "write_atomic", lambda *_: pytest.fail("all sums were written again"))
    for number in LATER:
        run.add_part(1, rows(run, range(number, number + 1)))
    run.close()
    assert written == [64 + len("  samples/part-lane-001-0001.parquet\n")] * len(LATER)


def test_a_claim_after_another_process_wrote_knows_its_parts(run: Run) -> None:
    run.add_part(1, rows(run, range(3, 4)))
    run.close()
    with open_run(run.path) as other:
        other.add_part(1, rows(other, range(4, 5)))
    run.add_part(1, rows(run, range(5, 6)))
    run.close()
    assert open_run(run.path).finished() == keys(range(6))
    assert len(read_sums(run.path)) == 4
