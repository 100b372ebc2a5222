"""The tables of results/published/: numbers that others have published (its README says what the columns are)."""

import csv
from pathlib import Path

from pqbed.errors import SpecError

PACKAGE = Path(__file__).parents[1]
# Where they are in a wheel, an image or a guest: beside the package's modules.
TABLES = "_published"


def published_folder() -> Path:
    """Return their folder; in the repository it is outside the package."""
    inside = PACKAGE / TABLES
    return inside if inside.is_dir() else PACKAGE.parents[1] / "results" / "published"


def read_published_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of the table `name`, as text. Raises SpecError where it is missing."""
    path = published_folder() / f"{name}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise SpecError(f"cannot read the published numbers {path}: {error.strerror}", "install pqbed again") from error
