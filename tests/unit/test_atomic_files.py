import os
import stat
from pathlib import Path

import pytest

from pqbed.atomic_files import write_atomic, write_synced
from pqbed.beds.up_session import Session, write_session
from pqbed.errors import StoreError
from pqbed.spec.link import Link
from support.profiles import PQ


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_synced_file_has_its_mode_before_it_has_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    synced = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (seen.append(os.fstat(descriptor).st_mode), synced(descriptor)))
    old = os.umask(0o022)
    try:
        write_synced(tmp_path / "secret", b"1", mode=0o600)
        write_synced(tmp_path / "plain", b"2")
    finally:
        os.umask(old)
    assert [stat.S_IMODE(mode) for mode in seen] == [0o600, 0o644]
    assert permissions(tmp_path / "secret") == 0o600
    assert (tmp_path / "plain").read_bytes() == b"2"


def test_a_synced_file_never_replaces_another(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        write_synced(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    write_atomic(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="no space is left"):
        write_atomic(tmp_path / "file", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_session_that_cannot_be_written_names_the_variable_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pqbed").write_text("a file in place of the folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    session = Session(bed="fake", clock="virtual", profiles=(PQ,), link=Link(rtt_ns=0))
    with pytest.raises(StoreError) as refused:
        write_session(session)
    assert "XDG_STATE_HOME" in refused.value.hint
