"""Published numbers: results/published/, one file per study."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from pqbed.spec.published_tables import read_published_rows

Relation = Literal["equal", "about", "below"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One number, or with `value_to` a range. `size_kib` and `percentile` are None if the publication gives none."""

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
    return {row["id"]: _number(row) for row in read_published_rows(name)}


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
