"""Temporary folders: removed by their owner, or by whoever comes after it was killed; never while it lives."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pqbed import owned_folders
from pqbed.owned_folders import OWNER, OwnedFolder, owned_folder, remove_abandoned

MAKE_AND_WAIT = """
import sys, time
from pqbed.owned_folders import OwnedFolder
folder = OwnedFolder("test", sys.argv[1])
(folder.path / "deep").mkdir()
(folder.path / "deep" / "log").write_text("x")
print(folder.path, flush=True)
time.sleep(600)
"""


def start_owner(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    command = [sys.executable, "-c", MAKE_AND_WAIT, str(parent)]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    return owner, Path(owner.stdout.readline().strip())


def test_a_folder_of_a_living_process_stays_and_that_of_a_killed_one_goes(tmp_path: Path) -> None:
    owner, folder = start_owner(tmp_path)
    try:
        assert (folder / OWNER).read_text().split()[0] == str(owner.pid)
        assert remove_abandoned([tmp_path]) == ()
        owner.send_signal(signal.SIGSTOP)
        assert remove_abandoned([tmp_path]) == ()
        assert (folder / "deep" / "log").exists()
    finally:
        owner.kill()
        owner.communicate()
    assert remove_abandoned([tmp_path, tmp_path / "." / ""]) == (folder,)
    assert list(tmp_path.iterdir()) == []
    assert remove_abandoned([tmp_path]) == ()


def test_own_folders_are_kept_until_they_are_removed(tmp_path: Path) -> None:
    with owned_folder("test", tmp_path) as path:
        assert path.stat().st_mode & 0o777 == 0o700
        assert remove_abandoned([tmp_path]) == ()
        assert path.is_dir()
    assert not path.exists()
    folder = OwnedFolder("test", tmp_path)
    folder.remove()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_the_owner_starts_does_not_keep_the_folder(tmp_path: Path) -> None:
    start = "import subprocess; child = subprocess.Popen(['sleep', '600'], stdout=2); print(child.pid, flush=True)"
    code = MAKE_AND_WAIT.replace("print(folder.path", start + "; print(folder.path")
    owner = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    child, folder = int(owner.stdout.readline()), Path(owner.stdout.readline().strip())
    owner.kill()
    owner.communicate()
    try:
        assert remove_abandoned([tmp_path]) == (folder,)
    finally:
        os.kill(child, signal.SIGKILL)


def test_what_is_not_ours_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owned_folders, "MAKING_S", 0)
    elsewhere = tmp_path / "elsewhere"
    with owned_folder("test", elsewhere.parent) as path:
        path.rename(elsewhere)
        (tmp_path / "pqbed-link").symlink_to(elsewhere)
        (tmp_path / "pqbed-mine").mkdir()
        (tmp_path / "pqbed-mine" / "notes").write_text("x")
        (tmp_path / "pqbed-file").write_text("x")
        (tmp_path / "other").mkdir()
        assert remove_abandoned([tmp_path, tmp_path / "missing"]) == ()
        assert (tmp_path / "pqbed-mine" / "notes").exists()
    assert {path.name for path in tmp_path.iterdir()} == {
        "elsewhere",
        "pqbed-link",
        "pqbed-mine",
        "pqbed-file",
        "other",
    }


def test_a_folder_that_is_being_made_has_a_minute(tmp_path: Path) -> None:
    folder = tmp_path / "pqbed-guest-abc"
    folder.mkdir()
    (folder / ".owner").touch()
    assert remove_abandoned([tmp_path]) == ()
    os.utime(folder, (0, 0))
    assert remove_abandoned([tmp_path]) == (folder,)
