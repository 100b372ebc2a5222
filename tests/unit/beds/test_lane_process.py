"""A lane as a process of this host: how it ends, and what is said where there is no room for it."""

import shutil
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
