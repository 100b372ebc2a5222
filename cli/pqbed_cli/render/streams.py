"""Where text goes: results to stdout, everything else to stderr."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any

import typer

from pqbed_cli.flags import TABLE, Form


def echo(text: str = "") -> None:
    """Print a result, or a part of one, to stdout."""
    typer.echo(text)


def note(text: str) -> None:
    """Print what is no result to stderr: progress, decisions, warnings, errors."""
    typer.echo(text, err=True)


def beside(form: Form) -> Callable[[str], None]:
    """Return what prints a line beside a table: to stderr where a program or a paper takes the table."""
    return echo if form == TABLE else note


def print_json(value: Any) -> None:
    """Print `value`, made of JSON types, to stdout."""
    echo(json.dumps(value, indent=2))


@contextlib.contextmanager
def binary_output() -> Iterator[IO[bytes]]:
    """Yield stdout for bytes, as they are."""
    sys.stdout.flush()
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
