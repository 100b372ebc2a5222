import os
import sys
import time
from pathlib import Path

import pytest

from pqbed.artefacts.build_steps import Command, no_progress, run_commands
from pqbed.errors import BuildError


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "pqbed"


def python(name: str, code: str) -> Command:
    return Command(name=name, argv=[sys.executable, "-u", "-c", code])


def test_output_goes_to_the_log_and_steps_to_the_callback(cache: Path) -> None:
    steps = []
    code = "print('a'); print('@step second'); [print(i) for i in range(4)]"
    run_commands([python("first step", code)], lambda *step: steps.append(step), {"second": 4})
    assert (cache / "logs/first-step.log").read_text().splitlines() == ["a", "@step second", "0", "1", "2", "3"]
    assert steps == [
        ("first step", None),
        ("second", None),
        ("second", 0.25),
        ("second", 0.5),
        ("second", 0.75),
        ("first step", 1.0),
    ]


def test_a_failure_says_where_the_log_is_and_how_it_ends(cache: Path) -> None:
    code = "import sys; [print('line', i) for i in range(100)]; print('the reason', file=sys.stderr); sys.exit(7)"
    with pytest.raises(BuildError) as caught:
        run_commands([python("builder", code)], no_progress)
    message = caught.value.message
    assert "exit code 7" in message
    assert str(cache / "logs/builder.log") in message
    assert message.endswith(":")
    assert caught.value.lines[-2:] == ("line 99", "the reason")
    assert "line 50" not in caught.value.lines


def test_a_missing_program_is_a_build_error() -> None:
    with pytest.raises(BuildError, match="cannot start no-such-program"):
        run_commands([Command(name="x", argv=["no-such-program"])], no_progress)


def test_a_failure_ends_the_others(tmp_path: Path) -> None:
    slow = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    fails = f"import os, sys, time\nwhile not os.path.exists({str(tmp_path / 'pid')!r}): time.sleep(0.01)\nsys.exit(1)"
    began = time.monotonic()
    with pytest.raises(BuildError, match="fails failed"):
        run_commands([python("slow", slow), python("fails", fails)], no_progress)
    assert time.monotonic() - began < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
