import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from pqbed.artefacts.cache_entries import building, hash_inputs, require_space
from pqbed.errors import HostError
from pqbed.user_folders import cache_home
from support.builds import build_and_count, build_half


def test_cache_home_follows_xdg_only_where_it_is_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_home() == tmp_path / "pqbed"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_home() == Path.home() / ".cache/pqbed"


def test_hash_depends_on_names_and_contents_not_on_times(tmp_path: Path) -> None:
    file = tmp_path / "folder/a.txt"
    file.parent.mkdir()
    file.write_text("one")
    before = hash_inputs(file.parent)
    os.utime(file, (1, 1))
    assert hash_inputs(file.parent) == before
    file.write_text("two")
    assert hash_inputs(file.parent) != before
    file.write_text("one")
    file.rename(file.with_name("b.txt"))
    assert hash_inputs(file.parent) != before


def test_hash_keeps_neighbours_apart() -> None:
    assert hash_inputs("ab", "c") != hash_inputs("a", "bc")
    assert hash_inputs("a", "b") != hash_inputs("b", "a")
    assert len(hash_inputs("a")) == 16


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    entry = tmp_path / "kind/key"
    with building(entry) as partial:
        assert partial is not None
        assert not entry.exists()
        (partial / "file").write_text("whole")
    assert (entry / "file").read_text() == "whole"
    with building(entry) as again:
        assert again is None


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    entry = tmp_path / "kind/key"

    def interrupted() -> None:
        with building(entry) as partial:
            assert partial is not None
            (partial / "half").write_text("")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in entry.parent.iterdir()] == ["key.lock"]


def test_what_a_killed_build_left_is_not_taken_for_whole(tmp_path: Path) -> None:
    entry, ready = tmp_path / "kind/key", tmp_path / "ready"
    process = multiprocessing.get_context("spawn").Process(target=build_half, args=(entry, ready))
    process.start()
    while not ready.exists():
        assert process.is_alive()
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not entry.exists()
    with building(entry) as partial:
        assert partial is not None
        assert list(partial.iterdir()) == []
    assert [path.name for path in entry.iterdir()] == [".contents.json"]


def test_two_processes_do_not_make_the_same(tmp_path: Path) -> None:
    entry, made = tmp_path / "kind/key", tmp_path / "made"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=build_and_count, args=(entry, made)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert made.read_text() == "x"
    assert entry.is_dir()


def test_space_is_summed_per_file_system(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    require_space([(tmp_path / "not/yet/there", 1)])
    with pytest.raises(HostError, match="MiB free"):
        require_space([(tmp_path, free // 2 + (1 << 30)), (tmp_path / "b", free // 2)])
