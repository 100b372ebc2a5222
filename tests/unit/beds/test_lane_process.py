"""A lane as a process of this host: how it ends, and what is said where there is no room for it."""

import os
import shutil
import signal
import time
from collections import namedtuple
from pathlib import Path

import pytest

from pqbed.beds.lane_process import PlainProcess
from pqbed.errors import HostError, LaneError
from pqbed.owned_folders import OwnedFolder

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil's own


def test_a_guest_that_ended_where_its_memory_did_not_fit_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = PlainProcess(["true"], {"PATH": "/bin:/usr/bin"}, OwnedFolder("test", tmp_path), 512 << 20)
    try:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(600 << 20, 0, 512 << 20))
        assert process.readline(5) == ""
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(90 << 20, 1 << 20, 89 << 20))
        with pytest.raises(LaneError, match=rf"{tmp_path} has 89 MiB free.*up to 512 MiB") as caught:
            process.readline(5)
        assert "TMPDIR" in caught.value.hint
    finally:
        process.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_matter_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pqbed.owned_folders.os.write", refuse)
    with pytest.raises(HostError, match=rf"in {tmp_path}: no space left on device"):
        OwnedFolder("test", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_was_stopped_is_noticed_once_and_its_end_is_not_taken_for_it(tmp_path: Path) -> None:
    process = PlainProcess(["sleep", "60"], {"PATH": "/bin:/usr/bin"}, OwnedFolder("test", tmp_path))
    try:
        assert not process.was_stopped()
        for number, state in ((signal.SIGSTOP, "T"), (signal.SIGCONT, "S")):
            os.killpg(process.pid, number)
            wait_for_state(process.pid, state)
        assert process.was_stopped()
        assert not process.was_stopped()
        os.killpg(process.pid, signal.SIGKILL)
        wait_for_state(process.pid, "Z")
        assert not process.was_stopped()
    finally:
        process.close()
    assert not process.was_stopped()


def wait_for_state(pid: int, state: str) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != state:
        assert time.monotonic() < deadline
        time.sleep(0.01)
