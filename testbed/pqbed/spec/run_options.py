"""How a sweep is run: what is not an axis of its grid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pqbed.errors import SpecError
from pqbed.spec.guest_kernels import parse_kernel
from pqbed.spec.name_suggestions import known_name
from pqbed.spec.threshold import Threshold
from pqbed.spec.value_parsers import Choice, naming, parse_count, spelled

BedChoice = Literal["auto", "docker", "netns", "uml", "fake"]
Clock = Literal["real", "virtual"]
Calibrate = Literal["always", "once", "off"]

MOST_LANES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """`clock` None: the bed's own default. `lanes` None: as many as the bed can keep apart. `out`: where runs go.

    `calibrate`: links are measured by every lane that opens, once in a run before their first sample, or not.
    `lane_check`: on the real clock, test first how many lanes do not slow each other down. `kernel`: the series of the
    guests' kernel, None the default one. `thresholds` are held against the run when it ends.
    """

    bed: BedChoice = "auto"
    clock: Clock | None = None
    lanes: int | None = None
    out: str = "results"
    calibrate: Calibrate = "once"
    lane_check: bool = True
    kernel: str | None = None
    thresholds: tuple[Threshold, ...] = ()


def _folder(text: str, _bare: bool) -> str:
    if not text:
        raise SpecError("run.out is empty", "name the folder that runs are written to")
    return text


def _kernel(text: str, bare: bool) -> str:
    with naming(spelled("kernel", bare)):
        return parse_kernel(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedChoice(Choice):
    """Reads one of `names`, and names the option in a refusal."""

    option: str

    def __call__(self, text: str, bare: bool) -> Any:
        with naming(spelled(self.option, bare)):
            return known_name(text, self.names, self.noun)


# How each is read from text, by its flag and its key in the table [run] of a sweep file; the second argument is
# whether it was typed as a flag. None: not a text, but yes or no.
RUN_OPTIONS: Mapping[str, Callable[[str, bool], Any] | None] = {
    "bed": NamedChoice(option="bed", noun="bed", names=get_args(BedChoice)),
    "clock": NamedChoice(option="clock", noun="clock", names=get_args(Clock)),
    "lanes": lambda text, bare: parse_count("lanes", text, 1, MOST_LANES, bare=bare),
    "out": _folder,
    "calibrate": NamedChoice(option="calibrate", noun="way to calibrate", names=get_args(Calibrate)),
    "lane_check": None,
    "kernel": _kernel,
}

# Keys of stored sweep files that were renamed since.
OLD_RUN_KEYS = {"lane_check": "guard"}
