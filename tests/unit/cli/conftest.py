from pathlib import Path

import pytest
import vl_convert

from pqbed.beds import leftovers
from pqbed_cli.main import run
from support.command_line import Ended, Pqbed


@pytest.fixture
def pqbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Pqbed:
    """Run `pqbed` in this process, in a folder and with a state of its own, at a width of 100 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")

    monkeypatch.setattr(leftovers, "searched_folders", lambda: (tmp_path,))

    def invoke(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run(arguments)
        said = capsys.readouterr()
        return Ended(code=code, out=said.out, err=said.err)

    return invoke


@pytest.fixture
def drawn() -> None:
    """Draw the figures of reports for a test that looks at them."""


@pytest.fixture(autouse=True)
def _undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the drawing, which is tested elsewhere and takes most of the time of a report."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(vl_convert, "vegalite_to_svg", lambda *_, **__: "<svg/>")
        monkeypatch.setattr(vl_convert, "svg_to_png", lambda *_, **__: b"")
