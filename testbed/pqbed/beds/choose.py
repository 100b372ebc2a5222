"""Take the bed that was asked for, or the best one this host can run, and say why. Imports only the bed it takes."""

import difflib
import importlib
from typing import cast, get_args

from pqbed.beds.bed import Bed, BedName
from pqbed.beds.usable import Verdict, find_engine, judge_docker, judge_netns, judge_uml
from pqbed.errors import EngineError, HostError, SpecError
from pqbed.spec.options import BedChoice, Clock

# Where each bed lives: its module and its class, which takes `clock` as its one argument.
HOMES: dict[BedName, tuple[str, str]] = {
    "docker": ("pqbed.beds.docker.bed", "DockerBed"),
    "netns": ("pqbed.beds.netns", "NetnsBed"),
    "uml": ("pqbed.beds.uml.bed", "UmlBed"),
    "fake": ("pqbed.beds.fake", "FakeBed"),
}
# The first is what a bed takes where no clock is named.
CLOCKS: dict[BedName, tuple[Clock, ...]] = {
    "docker": ("real",),
    "netns": ("real",),
    "uml": ("virtual", "real"),
    "fake": ("virtual", "real"),
}


def choose_bed(choice: str, clock: Clock | None = None) -> tuple[Bed, str]:
    """Return the bed to measure on and one line on what was taken and why.

    Raises SpecError for an unknown bed or a clock it does not have, EngineError or HostError where
    this host cannot run it.
    """
    wanted = bed_choice(choice)
    if wanted == "auto":
        name, reason = _best(clock)
    else:
        name, reason = wanted, _refuse_unusable(wanted, clock)
    taken = clock or CLOCKS[name][0]
    return _open(name, taken), f"{name} ({taken} clock): {reason}"


def bed_choice(text: str) -> BedChoice:
    """Return `text` as the name of a bed."""
    known = get_args(BedChoice)
    if text not in known:
        near = difflib.get_close_matches(text, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise SpecError(f"there is no bed {text!r}", f"{hint}choose from {', '.join(known)}")
    return cast(BedChoice, text)


def judge_bed(name: BedName) -> Verdict:
    """Judge one bed on this host."""
    if name == "docker":
        return judge_docker(find_engine())
    if name == "netns":
        return judge_netns()
    if name == "uml":
        return judge_uml()
    return Verdict(bed="fake", usable=True, found="no network at all; for trying the command line and for tests")


def pick(docker: Verdict, uml: Verdict, clock: Clock | None) -> tuple[BedName, str]:
    """Return the bed `auto` takes and why: docker where its kernel has netem, else uml. Pure."""
    if clock == "virtual":
        if not uml.usable:
            raise HostError(f"the virtual clock needs the uml bed: {uml.found}", uml.cure)
        return "uml", "the virtual clock was asked for"
    if docker.usable:
        return "docker", docker.found
    if uml.usable:
        return "uml", docker.found
    raise HostError(f"no bed runs here: docker: {docker.found}; uml: {uml.found}", uml.cure)


def _best(clock: Clock | None) -> tuple[BedName, str]:
    return pick(judge_bed("docker"), judge_bed("uml"), clock)


def _refuse_unusable(name: BedName, clock: Clock | None) -> str:
    if clock is not None and clock not in CLOCKS[name]:
        raise SpecError(f"the {name} bed has no {clock} clock", "take --bed uml for the virtual clock")
    verdict = judge_bed(name)
    if verdict.usable:
        return f"asked for; {verdict.found}"
    kind = EngineError if name == "docker" else HostError
    raise kind(f"the {name} bed cannot run here: {verdict.found}", verdict.cure)


def _open(name: BedName, clock: Clock) -> Bed:
    module, attribute = HOMES[name]
    return cast(Bed, getattr(importlib.import_module(module), attribute)(clock=clock))
