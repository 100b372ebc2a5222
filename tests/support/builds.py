"""Builds into the cache folder, for processes of their own: a spawned one must be able to import them by name."""

import time
from pathlib import Path

from pqbed.artefacts.cache_entries import building


def build_half(entry: Path, ready: Path) -> None:
    """Say that half is there, then wait to be killed."""
    with building(entry) as partial:
        assert partial is not None
        (partial / "half").write_text("")
        ready.write_text("")
        time.sleep(60)


def build_and_count(entry: Path, builds: Path) -> None:
    """Add an x to the file `builds` if the entry is built here."""
    with building(entry) as partial:
        if partial is not None:
            with builds.open("a") as count:
                count.write("x")
            time.sleep(0.2)
