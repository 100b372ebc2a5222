"""The results file of a campaign: one round a line."""

import json
from collections.abc import Iterable
from pathlib import Path

from pqbed.spec.json_codec import from_json, to_json
from torture.rounds import Round


def read_rounds(path: Path) -> list[Round]:
    """Return the rounds in `path`; none if there is no such file."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [from_json(Round, json.loads(line)) for line in lines]


def append_rounds(path: Path, rounds: Iterable[Round]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(to_json(each)) + "\n" for each in rounds)
