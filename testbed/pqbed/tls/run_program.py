"""Run a stack's program to its end and return its output; every failure is a HostError."""

import subprocess
from collections.abc import Sequence

from pqbed.errors import HostError

# An image or root that lacks what its recipe puts there.
DAMAGED_HINT = "the image or root of this stack is damaged: remove it, then run `pqbed build`"
_MOST_CHARACTERS = 300


def run_program(command: Sequence[str], timeout_s: float, hint: str = "") -> str:
    """Return the standard output of `command`, stripped.

    Raises HostError, with `hint`, if it cannot be started, takes longer than `timeout_s` or ends with another exit code
    than 0. The message holds the end of its standard error.
    """
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except OSError as error:
        raise HostError(f"{command[0]} cannot be started: {error.strerror}", hint or DAMAGED_HINT) from error
    except subprocess.TimeoutExpired:
        raise HostError(f"{_text(command)} did not end within {timeout_s:g} s", hint) from None
    if process.returncode:
        reason = process.stderr.strip()[-_MOST_CHARACTERS:] or f"exit code {process.returncode}"
        raise HostError(f"{_text(command)} failed: {reason}", hint)
    return process.stdout.strip()


def _text(command: Sequence[str]) -> str:
    """Return a command as users know it: its name and its first arguments."""
    return " ".join(command[:4])
