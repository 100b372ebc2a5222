"""Leftovers on this host: temporary folders of processes that were killed before they could remove them."""

import os
import tempfile
from pathlib import Path

from pqbed.artefacts.debian_bootstrap import build_folder
from pqbed.owned_folders import remove_abandoned


def remove_leftovers() -> tuple[Path, ...]:
    """Remove the temporary folders of this user's processes that are no more; return their paths."""
    return remove_abandoned(searched_folders())


def searched_folders() -> tuple[Path, ...]:
    """Return every folder that pqbed makes temporary folders in."""
    return tuple(sorted({Path(tempfile.gettempdir()), build_folder(), *map(Path, memory_folders())}))


def memory_folders() -> tuple[str, ...]:
    """Return the folders that the file with a guest's memory may be in, the best first."""
    named = os.environ.get("TMPDIR")
    return (*((named,) if named else ()), "/dev/shm", f"/run/user/{os.getuid()}", "/tmp")  # noqa: S108
