"""How a sweep is run: everything that does not change what is measured."""

from dataclasses import dataclass
from typing import Literal

BedChoice = Literal["auto", "docker", "netns", "uml", "fake"]
Clock = Literal["real", "virtual"]
Calibrate = Literal["always", "once", "off"]


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
