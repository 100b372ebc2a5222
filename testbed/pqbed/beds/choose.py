"""Take the bed that was asked for, or the best one this host can run, and say why. Imports only the bed it takes."""

import os
from pathlib import Path
from typing import cast, get_args

from pqbed.beds.bed import Bed, BedName
from pqbed.beds.host_checks import PROBED_LATER, Verdict, find_engine, judge_docker, judge_netns, judge_uml
from pqbed.beds.make import MAKERS, OnStep, docker_refusal
from pqbed.errors import EngineError, HostError, SpecError
from pqbed.spec.names import known_name
from pqbed.spec.options import BedChoice, Clock

ASKED_FOR = "asked for; "
# The first is what a bed takes where no clock is named.
CLOCKS: dict[BedName, tuple[Clock, ...]] = {
    "docker": ("real",),
    "netns": ("real",),
    "uml": ("virtual", "real"),
    "fake": ("virtual", "real"),
}


def _tell_no_one(_name: str, _fraction: float | None) -> None:
    pass


def choose_bed(
    choice: str, clock: str | None = None, *, on_step: OnStep = _tell_no_one, ca_bundle: Path | None = None
) -> tuple[Bed, str]:
    """Return the bed to measure on and one line on what was taken and why. Starts nothing.

    `on_step` is told what is being made, `ca_bundle` is trusted for downloads besides the system's certificates.
    Raises SpecError for an unknown bed or a clock it does not have, EngineError or HostError where
    this host cannot run it.
    """
    name, taken, reason = decide_bed(choice, clock)
    if name == "docker" and choice == "auto" and PROBED_LATER in reason:
        refusal = docker_refusal(on_step, ca_bundle)
        if refusal is not None:
            name, taken, reason = decide_bed("uml", clock)
            reason = f"the engine's kernel cannot shape ({refusal.message}); {reason.removeprefix(ASKED_FOR)}"
    return MAKERS[name](taken, on_step, ca_bundle), f"{name} ({taken} clock): {reason}"


def decide_bed(choice: str, clock: str | None = None) -> tuple[BedName, Clock, str]:
    """Return the bed and clock that `choose_bed` would take, and why, without making it. Raises as it does."""
    wanted, asked_clock = bed_choice(choice), clock_choice(clock)
    if wanted == "auto":
        name, reason = pick(judge_bed("docker"), judge_bed("uml"), asked_clock)
    else:
        name, reason = wanted, _refuse_unusable(wanted, asked_clock)
    return name, asked_clock or CLOCKS[name][0], reason


def bed_choice(text: str) -> BedChoice:
    """Return `text` as the name of a bed, or `auto`."""
    return cast("BedChoice", known_name(text, get_args(BedChoice), "bed"))


def clock_choice(text: str | None) -> Clock | None:
    """Return `text` as a clock; None stays None."""
    return None if text is None else cast("Clock", known_name(text, get_args(Clock), "clock"))


def judge_bed(name: BedName) -> Verdict:
    """Judge one bed on this host."""
    if name == "docker":
        return judge_docker(find_engine())
    if name == "netns":
        return judge_netns()
    if name == "uml":
        return judge_uml(find_engine())
    return Verdict(bed="fake", usable=True, found="no network at all; for trying the command line and for tests")


def usual_lanes(name: BedName, clock: Clock) -> int:
    """Return how many lanes this host keeps apart: one a CPU, half of that where CPU time counts in the numbers."""
    if name == "docker" and os.environ.get("DOCKER_HOST"):
        return 1
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cpus if clock == "virtual" else max(1, cpus // 2)


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


def _refuse_unusable(name: BedName, clock: Clock | None) -> str:
    if clock is not None and clock not in CLOCKS[name]:
        raise SpecError(f"the {name} bed has no {clock} clock", "take --bed uml for the virtual clock")
    verdict = judge_bed(name)
    if verdict.usable:
        return f"{ASKED_FOR}{verdict.found}"
    kind = EngineError if name == "docker" else HostError
    raise kind(f"the {name} bed cannot run here: {verdict.found}", verdict.cure)
