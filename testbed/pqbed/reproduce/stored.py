"""study.toml in a run directory: the study as it was before the run, bands included."""

from pathlib import Path
from typing import Any

import tomli_w

from pqbed.report.facts import STUDY_FILE
from pqbed.spec.study_text import ReadStudy, study_from
from pqbed.spec.text import read_spec


def study_to_toml(table: dict[str, Any]) -> str:
    return tomli_w.dumps(table)


def is_study(run: Path) -> bool:
    """Tell whether the run in this folder is one of a study."""
    return (run / STUDY_FILE).is_file()


def read_study(run: Path) -> ReadStudy:
    """Return the study of the run in this folder. Raises SpecError where it has none."""
    return study_from(read_spec(run / STUDY_FILE))
