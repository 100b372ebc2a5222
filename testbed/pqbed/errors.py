"""Errors a user can act on: one sentence, its cure, and the exit code it ends with.

The classes differ by who can mend the matter, not by where it arose.
"""

from collections.abc import Sequence


class PqbedError(Exception):
    """Carry one sentence on what is wrong, in `hint` what to do about it, and lines of a program that failed."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "", lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.lines = lines


class SpecError(PqbedError):
    """The request is wrong: an unknown name, a bad unit, a value out of range."""

    exit_code = 2


class HostError(PqbedError):
    """The host cannot do it: no netem, not x86-64, no privilege, no space."""

    exit_code = 3


class EngineError(PqbedError):
    """The container engine is absent, down, or refused a request."""

    exit_code = 3


class BuildError(PqbedError):
    """An image, a root file system or a guest kernel could not be made."""

    exit_code = 3


class StoreError(PqbedError):
    """A run directory cannot be written, or does not hold what it should."""

    exit_code = 3


class LaneError(PqbedError):
    """A lane failed at what it was asked; the sweep can go on."""

    exit_code = 3


class LaneGoneError(LaneError):
    """A lane stopped answering: its process ended, or is silent. What it was measuring says nothing about any stack."""
