"""Rows of the verdict table: published numbers, ours, and whether they agree."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pqbed.atomic_files import translate_os_errors, write_atomic
from pqbed.errors import SpecError, StoreError
from pqbed.spec.json_codec import from_json, to_json

VERDICTS_NAME = "verdicts.json"

Standing = Literal["inside", "outside", "not measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One published number that is measured again; all fields but `standing` are text.

    `band`: what counts as agreement, fixed before the run; `ours`: our number, the sum of `network` and `cpu`;
    `interval`: its 95% interval; `why`: the explanation if it is outside the band.
    """

    question: str
    published: str
    band: str
    ours: str
    network: str = ""
    cpu: str = ""
    interval: str = ""
    standing: Standing
    why: str = ""


def write_verdicts(folder: Path, verdicts: Sequence[Verdict]) -> None:
    """Store `verdicts` with the run in `folder`; its report shows them."""
    text = json.dumps(to_json(list(verdicts)), indent=2, ensure_ascii=False) + "\n"
    write_atomic(folder / VERDICTS_NAME, text.encode())


def read_verdicts(folder: Path) -> tuple[Verdict, ...]:
    """Return the verdicts of the run in `folder`; empty if it has none."""
    path = folder / VERDICTS_NAME
    if not path.exists():
        return ()
    with translate_os_errors(path):
        text = path.read_text(encoding="utf-8", errors="replace")
    try:
        return tuple(from_json(Verdict, item) for item in json.loads(text))
    except (ValueError, TypeError, SpecError) as error:
        raise StoreError(
            f"{path} holds no verdicts: {error}", "remove the file, then run `pqbed reproduce` again"
        ) from error
