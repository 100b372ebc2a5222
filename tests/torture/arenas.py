"""Arenas: a bed, what a sweep on it looks like, and whether this host has it."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pqbed.beds.bed_interface import BedName
from pqbed.beds.choose_bed import check_bed


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """`faults` are names in `faults.FAULTS`; `needs` is what a host must have."""

    bed: BedName
    needs: str
    faults: tuple[str, ...]
    sweep: Callable[[random.Random], tuple[str, ...]]

    def missing(self) -> str:
        """Return why this host cannot run it; "" if it can."""
        status = check_bed(self.bed)
        return "" if status.usable else status.found


ANYWHERE = ("kill", "interrupt", "terminate", "hang up", "suspend", "full out", "full tmp", "full both")
IN_LANES = (*ANYWHERE, "kill lane", "kill all", "suspend lane", "kill inside")


def _fake_sweep(draw: random.Random) -> tuple[str, ...]:
    return (*_grid(draw, sizes=("0", "50", "1000"), samples=(300, 2000)), "--clock", draw.choice(("virtual", "real")))


def _uml_sweep(draw: random.Random) -> tuple[str, ...]:
    if draw.random() < 0.25:
        return (*_grid(draw, sizes=("0", "50"), samples=(4, 12)), "--clock", "real", "--no-lane-check")
    return (*_grid(draw, sizes=("0", "50"), samples=(10, 120)), "--clock", "virtual")


def _shaped_sweep(draw: random.Random) -> tuple[str, ...]:
    return (*_grid(draw, sizes=("0", "50"), samples=(4, 20)), "--no-lane-check")


def _grid(draw: random.Random, *, sizes: tuple[str, ...], samples: tuple[int, int]) -> tuple[str, ...]:
    rtts = draw.sample(["10", "20", "35", "60"], draw.randint(1, 2))
    return (
        *("--rtt", ",".join(rtts), "--loss", draw.choice(("0", "1", "0,5")), "--bandwidth", draw.choice(("10", "1"))),
        *("--size", ",".join(draw.sample(sizes, draw.randint(1, 2))), "--samples", str(draw.randint(*samples))),
        *("--lanes", str(draw.randint(1, 2)), "--calibrate", draw.choice(("off", "once"))),
        *("--seed", str(draw.randint(1, 10**9)), *draw.choice(((), ("--no-aa",)))),
    )


ARENAS: Mapping[str, Arena] = {
    "fake": Arena(bed="fake", needs="nothing", faults=ANYWHERE, sweep=_fake_sweep),
    "uml": Arena(bed="uml", needs="x86-64", faults=IN_LANES, sweep=_uml_sweep),
    "netns": Arena(
        bed="netns", needs="root, and netem in the host's kernel", faults=IN_LANES[:-1], sweep=_shaped_sweep
    ),
    "docker": Arena(
        bed="docker",
        needs="a container engine on a kernel with netem",
        faults=(*ANYWHERE, "kill container", "pause container"),
        sweep=_shaped_sweep,
    ),
}
