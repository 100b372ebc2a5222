"""A guest and engines for the tests of the beds: made once a session."""

import platform
from collections.abc import Callable
from typing import Any

import pytest

from pqbed.artefacts import prepare_uml
from support.engines.fixtures import netem_engine, netem_image, private_engine, stack_image
from support.guest import Guest, run_in_guest

__all__ = ["netem_engine", "netem_image", "private_engine", "stack_image"]


@pytest.fixture(scope="session")
def uml_guest() -> Guest:
    """Return the project's own kernel and root, made first where the cache lacks them."""
    if platform.machine() != "x86_64":
        pytest.skip("User-mode Linux needs x86-64")
    made = prepare_uml()
    return Guest(made.kernel, made.root)


@pytest.fixture(scope="session")
def uml_guest_run(uml_guest: Guest) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that runs a script of this repository in a fresh guest and returns its JSON lines."""
    return lambda script, arguments="": run_in_guest(uml_guest, script, arguments)
