"""The choice of a bed: the one asked for, or the best that this host can run, with the reason.

Only the chosen bed is imported.
"""

import os
from pathlib import Path
from typing import cast, get_args

from pqbed.artefacts import OnStep, no_progress
from pqbed.beds.bed_interface import Bed, BedName
from pqbed.beds.docker.endpoint import DockerEndpoint, docker_endpoint
from pqbed.beds.host_checks import PROBED_LATER, BedStatus, check_docker, check_netns, check_uml, probe_engine
from pqbed.beds.make_bed import MAKERS, docker_refusal, make_docker, make_uml
from pqbed.errors import EngineError, HostError, SpecError
from pqbed.spec.name_suggestions import known_name
from pqbed.spec.run_options import BedChoice, Clock

ASKED_FOR = "asked for; "
# The first is the default.
CLOCKS: dict[BedName, tuple[Clock, ...]] = {
    "docker": ("real",),
    "netns": ("real",),
    "uml": ("virtual", "real"),
    "fake": ("virtual", "real"),
}


def choose_bed(
    choice: str,
    clock: str | None = None,
    *,
    on_step: OnStep = no_progress,
    ca_bundle: Path | None = None,
    to_measure: bool = True,
    kernel: str | None = None,
) -> tuple[Bed, str]:
    """Return the bed, and one line with its name and the reason. Starts nothing.

    `on_step` is called for each build step; `ca_bundle` is trusted for downloads in addition to the system's
    certificates. Raises SpecError for an unknown bed or a clock that it does not have, EngineError or HostError if
    this host cannot run it. A bed that is not to measure but only to build for, if named, needs no netem. `kernel` is
    the series of the guests' kernel, for the uml bed alone.
    """
    if not to_measure and choice == "docker" and (engine := probe_engine().info) is not None:
        bed = make_docker("real", on_step, ca_bundle)
        return bed, f"docker (real clock): images for engine {engine.version} on {engine.machine}"
    name, chosen_clock, reason = decide_bed(choice, clock)
    if name == "docker" and choice == "auto" and PROBED_LATER in reason:
        refusal = docker_refusal(on_step, ca_bundle)
        if refusal is not None:
            name, chosen_clock, reason = decide_bed("uml", clock)
            reason = f"the engine's kernel cannot shape ({refusal.message}); {reason.removeprefix(ASKED_FOR)}"
    if kernel is not None:
        bed = make_uml(chosen_clock, on_step, ca_bundle, kernel)
        return bed, f"{name} ({chosen_clock} clock, kernel {kernel}): {reason}"
    return MAKERS[name](chosen_clock, on_step, ca_bundle), f"{name} ({chosen_clock} clock): {reason}"


def reopen_bed(
    name: BedName,
    clock: Clock,
    endpoint: DockerEndpoint | None,
    *,
    on_step: OnStep = no_progress,
    ca_bundle: Path | None = None,
    kernel: str | None = None,
) -> Bed:
    """Return the bed of a session: for docker on the engine that it was started on, whatever is configured by now.

    Raises EngineError if that engine does not answer.
    """
    if name == "docker" and endpoint is not None:
        return make_docker(clock, on_step, ca_bundle, endpoint)
    return choose_bed(name, clock, on_step=on_step, ca_bundle=ca_bundle, kernel=kernel)[0]


def bed_for_kernel(choice: str, kernel: str | None) -> str:
    """Return the bed that `choice` means if guests shall run `kernel`. Raises SpecError for a bed without guests."""
    if kernel is None or choice == "uml":
        return choice
    if choice != "auto":
        raise SpecError(
            f"the {choice} bed has no guests that could run kernel {kernel}", "use --bed uml, or leave --kernel out"
        )
    return "uml"


def decide_bed(choice: str, clock: str | None = None) -> tuple[BedName, Clock, str]:
    """Return the bed and clock that `choose_bed` would choose, and the reason. Raises as it does."""
    wanted, asked_clock = bed_choice(choice), clock_choice(clock)
    if wanted == "auto":
        name, reason = pick(check_bed("docker"), check_bed("uml"), asked_clock)
    else:
        name, reason = wanted, _refuse_unusable(wanted, asked_clock)
    return name, asked_clock or CLOCKS[name][0], reason


def bed_choice(text: str) -> BedChoice:
    """Return `text` as the name of a bed, or `auto`."""
    return cast("BedChoice", known_name(text, get_args(BedChoice), "bed"))


def clock_choice(text: str | None) -> Clock | None:
    """Return `text` as a clock; None stays None."""
    return None if text is None else cast("Clock", known_name(text, get_args(Clock), "clock"))


def check_bed(name: BedName) -> BedStatus:
    """Check one bed on this host."""
    if name == "docker":
        return check_docker(probe_engine())
    if name == "netns":
        return check_netns()
    if name == "uml":
        return check_uml(probe_engine())
    return BedStatus(bed="fake", usable=True, found="no network; for trying the command line and for tests")


def default_lanes(name: BedName, clock: Clock) -> int:
    """Return the default number of lanes: one per CPU, or half as many if CPU time is part of what is measured."""
    if name == "docker" and not docker_endpoint().host.startswith("unix://"):
        return 1
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cpus if clock == "virtual" else max(1, cpus // 2)


def pick(docker: BedStatus, uml: BedStatus, clock: Clock | None) -> tuple[BedName, str]:
    """Return the bed that `auto` means and the reason: docker if its kernel has netem, else uml. Pure."""
    if clock == "virtual":
        if not uml.usable:
            raise HostError(f"the virtual clock needs the uml bed: {uml.found}", uml.cure)
        return "uml", "the virtual clock was asked for"
    if docker.usable:
        return "docker", docker.found
    if uml.usable:
        return "uml", docker.found
    raise HostError(f"no bed runs on this host: docker: {docker.found}; uml: {uml.found}", uml.cure)


def _refuse_unusable(name: BedName, clock: Clock | None) -> str:
    if clock is not None and clock not in CLOCKS[name]:
        raise SpecError(f"the {name} bed has no {clock} clock", "use --bed uml for the virtual clock")
    status = check_bed(name)
    if status.usable:
        return f"{ASKED_FOR}{status.found}"
    kind = EngineError if name == "docker" else HostError
    raise kind(f"the {name} bed cannot run on this host: {status.found}", status.cure)
