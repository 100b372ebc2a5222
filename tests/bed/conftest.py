"""A guest and engines for the tests of the beds: made once a session."""

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pqbed.artefacts import prepare_uml
from pqbed.beds.docker.docker_sdk_engine import DockerEngine
from pqbed.beds.make_bed import GUEST_KERNEL
from support.engines.fixtures import (
    chrome_image,
    netem_engine,
    netem_image,
    private_engine,
    seedless_engine,
    stack_image,
)
from support.guest import Guest, RunInGuest, run_in_guest

GUEST_IMAGE = "pqbed-test/guest:1"

__all__ = ["chrome_image", "netem_engine", "netem_image", "private_engine", "seedless_engine", "stack_image"]


@pytest.fixture(scope="session")
def uml_guest() -> Guest:
    """Return the project's own kernel and root, made first where the cache lacks them."""
    if platform.machine() != "x86_64":
        pytest.skip("User-mode Linux needs x86-64")
    made = prepare_uml()
    return Guest(made.kernel, made.root)


@pytest.fixture(scope="session")
def uml_guest_run(uml_guest: Guest) -> RunInGuest:
    """Return a function that runs a script of this repository in a fresh guest and returns its JSON lines."""
    return lambda script, arguments="": run_in_guest(uml_guest, script, arguments)


@pytest.fixture
def guest_image(private_engine: DockerEngine, stack_image: str, tmp_path: Path) -> Iterator[Any]:
    """The stack's image and the kernel of the cache folder: what images/uml/Dockerfile gives, without its build."""
    shutil.copyfile(prepare_uml().kernel, tmp_path / "linux")
    (tmp_path / "linux").chmod(0o755)
    (tmp_path / "Dockerfile").write_text(f"FROM {stack_image}\nCOPY linux {GUEST_KERNEL}\n")
    private_engine.build_image(tmp_path, GUEST_IMAGE, {}, {})
    yield private_engine.image_id(GUEST_IMAGE)
    private_engine.remove_image(GUEST_IMAGE)
