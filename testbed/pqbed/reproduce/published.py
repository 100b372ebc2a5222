"""The numbers of the literature: results/published/, one file a study (its README says what the columns are)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from pqbed.errors import SpecError

PACKAGE = Path(__file__).parents[1]

Relation = Literal["equal", "about", "below"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One number, or with `value_to` a range. `size_kib` and `percentile` are None where the publication names none."""

    name: str
    figure: str
    value: float
    value_to: float | None
    relation: Relation
    unit: str
    size_kib: float | None
    percentile: float | None
    words: str
    source: str


def read_published(name: str) -> dict[str, Published]:
    """Return the numbers of the study whose file is `name`, by their ids."""
    path = _folder() / f"{name}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["id"]: _number(row) for row in csv.DictReader(file)}
    except OSError as error:
        raise SpecError(f"cannot read the published numbers {path}: {error.strerror}", "install pqbed again") from error


def _folder() -> Path:
    """Return the folder of the numbers: in the wheel beside the package, in the repository where they are kept."""
    inside = PACKAGE / "_published"
    return inside if inside.is_dir() else PACKAGE.parents[1] / "results" / "published"


def _number(row: Mapping[str, str]) -> Published:
    relation = row["relation"]
    assert relation in get_args(Relation), row
    return Published(
        name=row["id"],
        figure=row["figure"],
        value=float(row["value"]),
        value_to=_maybe(row["value_to"]),
        relation=cast("Relation", relation),
        unit=row["unit"],
        size_kib=_maybe(row["size_kib"]),
        percentile=_maybe(row["percentile"]),
        words=row["words"],
        source=row["source"],
    )


def _maybe(text: str) -> float | None:
    return float(text) if text else None
