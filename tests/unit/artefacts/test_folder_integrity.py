"""The list of a folder's contents, and what it notices."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pqbed.artefacts.folder_integrity import CONTENTS, FULL_INTERVAL_S, find_damage, seal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "entry"
    (folder / "usr/bin").mkdir(parents=True)
    (folder / "usr/bin/nginx").write_bytes(b"program")
    (folder / "bin").symlink_to("usr/bin")
    (folder / "tmp").mkdir()
    seal(folder, ("tmp",))
    return folder


def same_size_and_time(folder: Path) -> None:
    path = folder / "usr/bin/nginx"
    before = path.stat()
    path.write_bytes(b"progrbm")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def relink(folder: Path) -> None:
    (folder / "bin").unlink()
    (folder / "bin").symlink_to("usr/lib")


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "added": (lambda folder: (folder / "usr/new").touch(), "usr/new was added"),
    "removed": (lambda folder: (folder / "usr/bin/nginx").unlink(), "usr/bin/nginx is missing"),
    "grown": (lambda folder: (folder / "usr/bin/nginx").write_bytes(b"longer program"), "usr/bin/nginx was changed"),
    "touched": (lambda folder: os.utime(folder / "usr/bin/nginx", (1, 1)), "usr/bin/nginx was changed"),
    "not executable": (lambda folder: (folder / "usr/bin/nginx").chmod(0o600), "usr/bin/nginx was changed"),
    "another target": (relink, "bin was changed"),
    "list removed": (lambda folder: (folder / CONTENTS).unlink(), "it has no list of its contents"),
    "list torn": (lambda folder: (folder / CONTENTS).write_text('{"entr'), "it has no list of its contents"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_named(folder: Path, change: str) -> None:
    assert find_damage(folder, full=False) == ""
    alter, damage = CHANGES[change]
    alter(folder)
    assert find_damage(folder, full=False) == damage
    assert find_damage(folder, full=True) == damage


def test_an_excluded_folder_may_change(folder: Path) -> None:
    (folder / "tmp/log").touch()
    assert find_damage(folder, full=True) == ""
    (folder / "tmp/log").unlink()
    (folder / "tmp").rmdir()
    assert find_damage(folder) == "tmp is missing"


def test_everything_is_read_once_a_day(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_damage(folder) == ""  # never read before: in full
    same_size_and_time(folder)
    assert find_damage(folder) == ""
    later = time.time() + FULL_INTERVAL_S + 1
    monkeypatch.setattr("pqbed.artefacts.folder_integrity.time.time", lambda: later)
    assert find_damage(folder) == "usr/bin/nginx was changed"
    assert find_damage(folder, full=True) == "usr/bin/nginx was changed"


def test_a_folder_that_is_not_there_is_damaged(tmp_path: Path) -> None:
    assert find_damage(tmp_path / "none") == "it is missing"
