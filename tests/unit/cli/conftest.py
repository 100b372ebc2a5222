from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pqbed_cli.main import run


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


Pqbed = Callable[..., Ended]


@pytest.fixture
def pqbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Pqbed:
    """Run `pqbed` in this process, in a folder and with a state of its own, at a width of 100 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")

    def invoke(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run(arguments)
        said = capsys.readouterr()
        return Ended(code=code, out=said.out, err=said.err)

    return invoke
