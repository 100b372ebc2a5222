"""Help text, and what a start costs."""

import subprocess
import sys
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from pqbed import __version__
from pqbed_cli.flags import PANELS
from support.command_line import Pqbed

COMMANDS = (
    "doctor",
    "explain",
    "trace",
    "report",
    "serve",
    "compare",
    "export",
    "reproduce",
    "algorithms",
    "links",
    "schema",
    "build",
    "up",
    "status",
    "fetch",
    "down",
    "plan",
    "sweep",
    "show",
    "link",
    "link set",
    "link show",
)
HEAVY = ("polars", "numpy", "altair", "docker", "pyroute2", "rich.table", "pqbed.store", "pqbed.runner")


def loaded_by(*arguments: str) -> set[str]:
    """Run `pqbed` in a new interpreter and return the modules it has loaded at its end."""
    program = (
        "import sys\n"
        "from pqbed_cli.main import run\n"
        f"run({arguments!r})\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stderr.splitlines())


def test_help_loads_nothing_heavy() -> None:
    assert loaded_by("--help").isdisjoint(HEAVY)
    assert loaded_by("sweep", "--help").isdisjoint(HEAVY)


def test_python_m_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pqbed_cli", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("Usage: pqbed")


def test_without_a_command_help_is_printed(pqbed: Pqbed) -> None:
    ended = pqbed()
    assert ended.code == 2
    assert "Commands:" in ended.out
    assert ended.err == ""


def test_every_command_is_told_in_a_line_of_its_own(pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = pqbed("--help").out
    lines = text.partition("Commands:\n")[2].splitlines()
    assert len(lines) == 28
    for line in lines:
        name, told = line.split(maxsplit=1)
        assert len(told) < 50
        assert told.endswith(".")
        assert not told.endswith("...")
        assert name in line[:14]


@pytest.mark.parametrize("command", ["sweep", "plan", "trace", "explain", "link set", "up", "reproduce"])
def test_help_fits_a_terminal_of_80_columns_and_has_no_boxes(
    pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch, command: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = pqbed(*command.split(), "--help").out
    assert max(map(len, text.splitlines())) <= 80
    assert text.isprintable() or not set(text) & set("\x1b│╭─")


def test_the_options_of_a_sweep_stand_in_groups(pqbed: Pqbed) -> None:
    text = pqbed("sweep", "--help").out
    titles = [line for line in text.splitlines() if line and not line.startswith((" ", "Usage"))]
    assert titles == [f"{panel}:" for panel in PANELS]
    for title, flag in (("TCP", "--mtu"), ("Samples", "--precision"), ("Run", "--lane-check"), ("Output", "--json")):
        assert flag in text.partition(f"\n{title}:\n")[2].partition("\n\n")[0]


@pytest.mark.parametrize("command", ["explain", "algorithms"])
def test_optional_arguments_have_one_pair_of_brackets(pqbed: Pqbed, command: Any) -> None:
    usage, *lines = pqbed(command, "--help").out.splitlines()
    assert "[[" not in usage
    argument = next(line for line in lines if line.startswith(("  CELL", "  NAME")))
    assert "[default: all]" in argument


def test_version(pqbed: Pqbed) -> None:
    ended = pqbed("--version")
    assert (ended.code, ended.out) == (0, f"pqbed {__version__}\n")


def test_help_of_pqbed(pqbed: Pqbed, snapshot: SnapshotAssertion) -> None:
    assert pqbed("--help").out == snapshot


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(pqbed: Pqbed, snapshot: SnapshotAssertion, command: str) -> None:
    ended = pqbed(*command.split(), "--help")
    assert ended.code == 0
    assert ended.out == snapshot
