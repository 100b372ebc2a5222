"""Where text goes: results to stdout, everything else to stderr."""

import json
import sys
from typing import Any

import typer


def echo(text: str = "") -> None:
    """Print a result, or a part of one, to stdout."""
    typer.echo(text)


def note(text: str) -> None:
    """Print what is no result to stderr: progress, decisions, warnings, errors."""
    typer.echo(text, err=True)


def print_json(value: Any) -> None:
    """Print `value`, made of JSON types, to stdout."""
    echo(json.dumps(value, indent=2))


def write_bytes(content: bytes) -> None:
    """Write `content` to stdout as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
