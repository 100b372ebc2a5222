"""What is said when the disk is full or a file of a run is gone, and where links lead."""

import errno
import os
import stat
from pathlib import Path

import pytest

from pqbed.atomic_files import store_error
from pqbed.store.run_directory import Run
from support.command_line import Pqbed
from support.sweeps import forget_samples

SMALL = ("--rtt", "35", "--loss", "0", "--bandwidth", "1", "--size", "0", "--samples", "4", "--no-aa")
SWEEP = ("sweep", "--bed", "fake", *SMALL)


def run_in(out: Path) -> Path:
    (path,) = out.glob("2*")
    return path


def test_a_full_disk_before_the_first_sample_advises_no_resume_of_what_is_gone(
    pqbed: Pqbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(run: Run, _cells: object) -> None:
        raise store_error(run.path / "cells.parquet", OSError(errno.ENOSPC, "No space left on device"))

    monkeypatch.setattr(Run, "write_cells", refuse)
    ended = pqbed(*SWEEP, "--out", str(tmp_path / "out"))
    assert ended.code == 3
    assert "no space is left for" in ended.err
    assert "nothing was measured: the run is removed" in ended.err
    assert "resume" not in ended.err
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("command", ["show", "explain", "report"])
def test_samples_without_a_table_of_cells_are_an_error_sealed_or_not(
    pqbed: Pqbed, tmp_path: Path, command: str
) -> None:
    pqbed(*SWEEP, "--out", str(tmp_path / "out"))
    path = run_in(tmp_path / "out")
    (path / "cells.parquet").unlink()
    ended = pqbed(command, str(path))
    assert (ended.code, ended.out) == (3, "")
    assert "cells.parquet is missing, and there are samples" in ended.err
    forget_samples(path)
    (path / "journal" / "lane-000-0002.ndjson").write_text('{"cell_id":"c","repetition":0}\n')
    ended = pqbed(command, str(path))
    assert ended.code == 3
    assert "cells.parquet is missing, and there are samples" in ended.err


@pytest.mark.parametrize("command", [("show",), ("explain",), ("report",), ("verify",), ("export", "--csv")])
def test_a_run_that_is_not_there_is_a_wrong_request(pqbed: Pqbed, command: tuple[str, ...]) -> None:
    ended = pqbed(command[0], "/nonexistent", *command[1:])
    assert ended.code == 2
    assert "there is no run at /nonexistent" in ended.err


def test_links_are_followed_and_the_umask_decides_who_may_read(pqbed: Pqbed, tmp_path: Path) -> None:
    for name, umask in (("open", 0o022), ("closed", 0o077)):
        target, link = tmp_path / name, tmp_path / f"{name}-link"
        target.mkdir()
        link.symlink_to(target)
        before = os.umask(umask)
        try:
            assert pqbed(*SWEEP, "--out", str(link)).code == 0
            path = run_in(target)
            table, linked = target / "table.csv", tmp_path / f"{name}.csv"
            linked.symlink_to(table)
            assert pqbed("export", str(path), "--csv", "--to", str(linked)).code == 0
        finally:
            os.umask(before)
        assert link.is_symlink()
        assert linked.is_symlink()
        assert table.read_text().startswith("cell_id,")
        written = [table, *(each for each in path.rglob("*") if each.is_file())]
        assert {stat.S_IMODE(each.stat().st_mode) & umask for each in written} == {0}
        readable = {bool(each.stat().st_mode & stat.S_IROTH) for each in written}
        assert readable == {umask == 0o022}
