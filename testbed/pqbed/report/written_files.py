"""Files that a report consists of."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The page of the report, and the files of its figures."""

    page: Path
    figures: tuple[Path, ...]
