"""What a run was expected to show, and whether it did: the rows of the verdict table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pqbed.atomic_files import translate_os_errors, write_atomic
from pqbed.errors import SpecError, StoreError
from pqbed.spec.codec import from_json, to_json

VERDICTS_NAME = "verdicts.json"

Standing = Literal["inside", "outside", "not measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One number that was published and is measured again; all but `standing` are texts to show.

    `band`: what counts as the same, fixed before the run; `ours`: what is judged, of which `network` and `cpu` are the
    parts; `interval`: ours, at 95 %; `why`: what explains an outside.
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
    """Keep `verdicts` with the run in `folder`; its report shows them."""
    text = json.dumps(to_json(list(verdicts)), indent=2, ensure_ascii=False) + "\n"
    write_atomic(folder / VERDICTS_NAME, text.encode())


def read_verdicts(folder: Path) -> tuple[Verdict, ...]:
    """Return the verdicts of the run in `folder`; none where none were written."""
    path = folder / VERDICTS_NAME
    if not path.exists():
        return ()
    with translate_os_errors(path):
        text = path.read_text(encoding="utf-8", errors="replace")
    try:
        return tuple(from_json(Verdict, item) for item in json.loads(text))
    except (ValueError, TypeError, SpecError) as error:
        raise StoreError(f"{path} holds no verdicts: {error}", "remove the file, or make it again") from error
