"""The user's folders for pqbed (XDG Base Directory Specification 0.8): cache, data and state."""

import os
from pathlib import Path


def cache_home() -> Path:
    """Return the folder for everything that pqbed can make again."""
    return _base("XDG_CACHE_HOME", ".cache") / "pqbed"


def data_home() -> Path:
    """Return the folder for what the user gave to pqbed: stacks."""
    return _base("XDG_DATA_HOME", ".local/share") / "pqbed"


def state_home() -> Path:
    """Return the folder for what `pqbed up` must remember."""
    return _base("XDG_STATE_HOME", ".local/state") / "pqbed"


def _base(variable: str, default: str) -> Path:
    """The specification requires absolute paths and says to ignore relative ones."""
    path = Path(os.environ.get(variable, ""))
    return path if path.is_absolute() else Path.home() / default
