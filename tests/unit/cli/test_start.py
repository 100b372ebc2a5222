"""Help text, and what a start costs."""

import subprocess
import sys

import pytest

COMMANDS = (
    "doctor",
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


def test_help_loads_nothing_heavy():
    assert loaded_by("--help").isdisjoint(HEAVY)
    assert loaded_by("sweep", "--help").isdisjoint(HEAVY)


def test_python_m_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "pqbed_cli", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("Usage: pqbed")


def test_without_a_command_help_is_printed(pqbed):
    ended = pqbed()
    assert ended.code == 2
    assert "Commands:" in ended.out
    assert ended.err == ""


def test_help_of_pqbed(pqbed, snapshot):
    assert pqbed("--help").out == snapshot


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(pqbed, snapshot, command):
    ended = pqbed(*command.split(), "--help")
    assert ended.code == 0
    assert ended.out == snapshot
