"""Where a lane keeps keys, configuration and bodies."""

import os
from pathlib import Path


def lane_folder() -> Path:
    """Return the folder: on a tmpfs that ends with the lane."""
    return Path(os.environ.get("PQBED_FOLDER", "/run/pqbed"))
