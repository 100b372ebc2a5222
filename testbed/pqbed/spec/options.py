"""How a sweep is run: everything that does not change what is measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pqbed.errors import SpecError
from pqbed.spec.names import known_name
from pqbed.spec.parse import parse_count

BedChoice = Literal["auto", "docker", "netns", "uml", "fake"]
Clock = Literal["real", "virtual"]
Calibrate = Literal["always", "once", "off"]

MOST_LANES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """`clock` None: the bed's own default. `lanes` None: as many as the bed can keep apart. `out`: where runs go.

    `calibrate`: links are measured by every lane that opens, once in a run before their first sample, or not.
    `guard`: on the real clock, see first how many lanes do not disturb one another.
    """

    bed: BedChoice = "auto"
    clock: Clock | None = None
    lanes: int | None = None
    out: str = "results"
    calibrate: Calibrate = "once"
    guard: bool = True


def _folder(text: str) -> str:
    if not text:
        raise SpecError("run.out is empty", "name the folder that runs are written to")
    return text


# How each is read from text, by its flag and its key in the table [run] of a sweep file; the second argument says
# whether it was typed as a flag. None: not a text, but yes or no.
RUN_OPTIONS: Mapping[str, Callable[[str, bool], Any] | None] = {
    "bed": lambda text, _: known_name(text, get_args(BedChoice), "bed"),
    "clock": lambda text, _: known_name(text, get_args(Clock), "clock"),
    "lanes": lambda text, bare: parse_count("lanes", text, 1, MOST_LANES, bare=bare),
    "out": lambda text, _: _folder(text),
    "calibrate": lambda text, _: known_name(text, get_args(Calibrate), "way to calibrate"),
    "guard": None,
}
