"""Names and permissions of a run's files, and who is first where two processes are about to make one."""

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pqbed.store import run_directory
from pqbed.store.manifest import unusual_kernel
from pqbed.store.provenance import Difference
from pqbed.store.run_directory import MAKING_PREFIX, place_folder
from pqbed.store.table_schemas import INCREASES, QUANTILES
from support.sweeps import manifest, new_run, sample


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_no_file_of_a_run_is_a_program_or_writable_by_others(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        run.journal(0).append(sample(0))
        (journal,) = (run.path / "journal").iterdir()
        assert journal.stat().st_mode & 0o777 == 0o644
        run.seal()
    modes = {path.name: path.stat().st_mode & 0o777 for path in run.path.rglob("*") if path.is_file()}
    assert set(modes.values()) == {0o644}
    assert ".lock" in modes


def test_a_run_is_made_under_a_name_that_nobody_guesses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    token = run_directory.secrets.token_hex  # type: ignore[attr-defined]
    monkeypatch.setattr("secrets.token_hex", lambda size: (asked.append(size), token(size))[1])
    new_run(tmp_path).close()
    assert asked[0] == 8


@pytest.mark.parametrize(("age_s", "left"), [(59, True), (61, False)])
def test_a_folder_without_a_manifest_is_given_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age_s: int, left: bool
) -> None:
    making = tmp_path / f"{MAKING_PREFIX}1"
    making.mkdir()
    made = making.stat().st_mtime
    monkeypatch.setattr(time, "time", lambda: made + age_s)
    new_run(tmp_path).close()
    assert making.exists() == left


def test_the_second_of_two_runs_of_one_second_has_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may place its run between the look and the rename."""
    first, second = tmp_path / "one", tmp_path / "two"
    for folder in (first, second):
        folder.mkdir()
        (folder / "manifest.json").touch()
    taken = place_folder(first, tmp_path, "x")
    monkeypatch.setattr(Path, "exists", lambda _: False)
    name = taken.name.removesuffix("-x")
    monkeypatch.setattr(run_directory, "datetime", _Fixed(name))
    assert place_folder(second, tmp_path, "x").name == f"{name}-x-2"


def test_a_rename_that_fails_otherwise_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    making = tmp_path / "one"
    making.mkdir()

    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="broken"):
        place_folder(making, tmp_path, "x")


class _Fixed:
    """A clock that stands still, as `datetime`."""

    def __init__(self, text: str) -> None:
        self.text = text

    def now(self, _: Any) -> "_Fixed":
        return self

    def __format__(self, _: str) -> str:
        return self.text


@pytest.mark.parametrize(
    ("bed", "kernel", "named"),
    [
        ("uml", "6.12.118", "6.12.118"),
        ("uml", "7.3.4", ""),
        ("uml", "", ""),
        ("netns", "6.12.118", ""),
        ("docker", "7.3.4", ""),
    ],
)
def test_only_a_guest_s_kernel_of_another_series_is_named(bed: str, kernel: str, named: str) -> None:
    assert unusual_kernel(replace(manifest(), bed=bed, kernel=kernel)) == named


def test_long_values_of_a_difference_are_cut() -> None:
    text = str(Difference(name="the root", then="a" * 60, now="b" * 61))
    assert text == f"the root was {'a' * 60} and is now {'b' * 60}"


def test_quantiles_are_what_their_names_say() -> None:
    assert QUANTILES == {"p50": 0.5, "p75": 0.75, "p90": 0.9}
    assert tuple(QUANTILES) == INCREASES
