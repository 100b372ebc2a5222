"""Checks of a stored run, one line each."""

from collections.abc import Iterable
from dataclasses import asdict

from pqbed.verify_run import RunCheck
from pqbed_cli.render.streams import echo, print_json


def print_checks(checks: Iterable[RunCheck], *, json_output: bool) -> bool:
    """Print the checks as they come; return whether all hold."""
    seen = []
    for check in checks:
        seen.append(check)
        if not json_output:
            echo(f"{'ok' if check.holds else 'failed':7} {check.name:12} {check.detail}")
    if json_output:
        print_json([asdict(check) for check in seen])
    return all(check.holds for check in seen)
