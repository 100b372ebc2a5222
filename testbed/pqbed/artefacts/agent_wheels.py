"""Python packages of the agent and of stacks, downloaded by the host: builds need no package index."""

import importlib.util
import sys
from pathlib import Path

from pqbed.artefacts.build_steps import Command, OnStep, run_commands
from pqbed.artefacts.cache_entries import building, hash_inputs
from pqbed.artefacts.image_sources import recipe_folder
from pqbed.errors import HostError
from pqbed.spec.profile import DEFAULT_STACK
from pqbed.user_folders import cache_home


def pinned_wheels(stack: str = DEFAULT_STACK) -> Path:
    """Versions and hashes, as pip reads them; the default stack's are the agent's too."""
    return recipe_folder(stack) / "wheels.txt"


def fetch_wheels(on_step: OnStep, ca_bundle: Path | None, stack: str = DEFAULT_STACK) -> Path:
    """Return a folder with the packages of `stack`, each checked against its hash."""
    pinned = pinned_wheels(stack)
    entry = cache_home() / "wheels" / hash_inputs("wheels/2", pinned)
    with building(
        entry,
        lambda: on_step("waiting for another build of the wheels", None),
        lambda damage: on_step(f"the wheels in the cache are damaged, downloading them again: {damage}", None),
    ) as partial:
        if partial is not None:
            run_commands([_download(pinned, partial, ca_bundle)], on_step)
    return entry


def _download(pinned: Path, folder: Path, ca_bundle: Path | None) -> Command:
    if importlib.util.find_spec("pip") is None:
        raise HostError(f"{sys.executable} has no pip", hint="run scripts/setup.sh, or: python -m ensurepip")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--progress-bar=off"]
    what = ["--no-deps", "--require-hashes", "--no-binary=pycurl", "--only-binary=pyroute2"]
    return Command(
        name="wheels",
        argv=[*pip, *what, f"--requirement={pinned}", f"--dest={folder}"],
        env={} if ca_bundle is None else {"PIP_CERT": str(ca_bundle)},
        hint="does pip work on this host? Behind a TLS-inspecting proxy give --ca-bundle",
    )
