from pathlib import Path

import pytest

from pqbed.beds.host_checks import built_artefacts
from pqbed.beds.up_session import state_path
from pqbed.user_folders import cache_home, state_home

FOLDERS = {"XDG_CACHE_HOME": (cache_home, ".cache"), "XDG_STATE_HOME": (state_home, ".local/state")}


@pytest.mark.parametrize("variable", FOLDERS)
def test_an_absolute_xdg_folder_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str) -> None:
    monkeypatch.setenv(variable, str(tmp_path))
    assert FOLDERS[variable][0]() == tmp_path / "pqbed"


@pytest.mark.parametrize("variable", FOLDERS)
@pytest.mark.parametrize("value", [None, "", "relative/folder"])
def test_a_relative_xdg_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, variable: str, value: str | None) -> None:
    monkeypatch.delenv(variable, raising=False)
    if value is not None:
        monkeypatch.setenv(variable, value)
    folder, default = FOLDERS[variable]
    assert folder() == Path.home() / default / "pqbed"


def test_artefacts_and_session_are_looked_for_where_they_are_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    (cache_home() / "roots" / "0123").mkdir(parents=True)
    assert built_artefacts("roots") == ("0123",)
    assert state_path() == tmp_path / ".local/state/pqbed/bed.json"
