"""Where words go: results to stdout; while `--json` owns stdout, everything else to stderr."""

import json
from typing import Any

import typer


def say(line: str, *, json_output: bool = False) -> None:
    """Print one line for people."""
    typer.echo(line, err=json_output)


def print_json(value: Any) -> None:
    """Print `value`, made of JSON types, for programs."""
    typer.echo(json.dumps(value, indent=2))
