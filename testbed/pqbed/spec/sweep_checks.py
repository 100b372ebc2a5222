"""What no axis can say alone: refuse a sweep whose cells would not mean what they say."""

import itertools
import math
from typing import get_args

from pqbed.errors import SpecError
from pqbed.spec.axes import AXES, count_parts, grids, lay_out, values_in
from pqbed.spec.axis import Part
from pqbed.spec.delay_tables import cut_share, largest_jitter_ns
from pqbed.spec.link import Link
from pqbed.spec.profile import Profile
from pqbed.spec.sweep import Sweep
from pqbed.units import NS_PER_MS, format_duration

MOST_CELLS = 100_000
# By how much of the delay its mean may be off because jitter is cut at zero.
LARGEST_CUT_SHARE = 0.001


def check_sweep(sweep: Sweep) -> Sweep:
    """Return `sweep` if its axes fit together, else raise SpecError."""
    _check_cell_count(sweep)
    _check_jitter(sweep)
    _check_links(sweep)
    _check_needs(sweep)
    _check_drops(sweep)
    _check_copy(sweep)
    _check_precision(sweep)
    for profile in sweep.profiles:
        _check_profile(profile)
    return sweep


def cell_count(sweep: Sweep) -> int:
    """Return the number of cells without laying them out."""
    return len(sweep.arms) * math.prod(count_parts(part, sweep) for part in get_args(Part))


def _check_cell_count(sweep: Sweep) -> None:
    count = cell_count(sweep)
    if count > MOST_CELLS:
        raise SpecError(
            f"the sweep has {count} cells, and at most {MOST_CELLS} are allowed",
            "shorten an axis, or split it into several sweeps",
        )


def _check_jitter(sweep: Sweep) -> None:
    """Refuse a jitter that would lengthen the mean RTT unseen: netem cuts negative delays to zero."""
    if sweep.cut_jitter:
        return
    for grid in grids("link", sweep):
        rtt_ns, jitter_ns = min(grid["rtt"]), max(grid["jitter"])
        for distribution in grid["distribution"]:
            share = cut_share(rtt_ns // 2, jitter_ns, distribution)
            if share <= LARGEST_CUT_SHARE:
                continue
            largest = f"{largest_jitter_ns(rtt_ns // 2, distribution, LARGEST_CUT_SHARE) / NS_PER_MS:g}ms"
            raise SpecError(
                f"--jitter {format_duration(jitter_ns)} ({distribution}) at --rtt {format_duration(rtt_ns)} reaches "
                f"below zero, where delays are cut: the mean RTT would be {_cut_rtt(rtt_ns, share)}",
                f"give a jitter of at most {largest}, or drop the short rtt",
            )


def _check_links(sweep: Sweep) -> None:
    if not sweep.links:
        return
    names: dict[Link, str | None] = {}
    for link in lay_out(Link, sweep):
        other = names.setdefault(link, link.name)
        if other != link.name:
            raise SpecError(
                f"--link {other} and {link.name} have the same values: they would be one cell under two names",
                "give one of them",
            )


def cut_delays(sweep: Sweep) -> list[str]:
    """Return a sentence per link of `sweep` whose mean RTT is visibly longer because delays are cut at zero."""
    links = itertools.product(sweep.rtt_ns, sweep.jitter_ns, sweep.distribution)
    shares = [(link, cut_share(link[0] // 2, link[1], link[2])) for link in links]
    return [
        f"at rtt {format_duration(rtt_ns)} and {distribution} jitter {format_duration(jitter_ns)} delays are cut at "
        f"zero, so the mean RTT is {_cut_rtt(rtt_ns, share)}"
        for (rtt_ns, jitter_ns, distribution), share in shares
        if share > LARGEST_CUT_SHARE
    ]


def _cut_rtt(rtt_ns: int, share: float) -> str:
    """Return the mean RTT and by how much it is longer: `37.93ms (+8.4%)`; both directions have the same jitter."""
    if math.isinf(share):
        return "longer than 0s"
    return f"{rtt_ns * (1 + share) / NS_PER_MS:.4g}ms (+{100 * share:.2g}%)"


def _check_needs(sweep: Sweep) -> None:
    for axis in AXES.values():
        if not axis.needs:
            continue
        needed = AXES[axis.needs]
        if values_in(needed, sweep) == (needed.usual,) and axis.values(sweep) != (axis.usual,):
            raise SpecError(
                f"{axis.flag} {axis.format(axis.values(sweep)[0])} has no effect without {needed.flag}",
                f"give a {needed.label} above {needed.usual}, or drop {axis.flag}",
            )


def _check_drops(sweep: Sweep) -> None:
    """Refuse to count packets that are not those of the wire."""
    for grid in grids("link", sweep):
        other = next((name for name in grid["segmentation"] if name != "wire"), None)
        if any(grid["drop"]) and other is not None:
            raise SpecError(
                f"--drop counts packets as they are on the wire, and with --segmentation {other} TCP sends larger ones",
                "leave out --segmentation, or --drop",
            )


def _check_copy(sweep: Sweep) -> None:
    copy = sweep.arms[-1]
    if copy.copy_of is not None and copy.name in [profile.name for profile in sweep.profiles]:
        raise SpecError(
            f"profile {copy.name!r} has the name of the A/A arm, the second copy of {copy.copy_of!r}",
            "give the profile another name, or leave the arm out: --no-aa, or aa = false in the sweep file",
        )


def _check_precision(sweep: Sweep) -> None:
    if sweep.precision_ppm is not None and len(sweep.arms) < 2:
        raise SpecError(
            "--precision needs at least two profiles to compare",
            "name a second profile, or give --samples",
        )


def _check_profile(profile: Profile) -> None:
    if profile.client_chain is not None and not profile.mutual:
        raise SpecError(
            f"profile {profile.name!r} has a client_chain, and its client sends none",
            "add mutual = true, or leave out client_chain",
        )
    for chain in (profile.chain, profile.client_chain):
        if chain is not None and chain.depth == 1 and chain.intermediate is not None:
            raise SpecError(
                f"profile {profile.name!r} names an intermediate in a chain of depth 1, which has none",
                "give it depth = 2, or leave out intermediate",
            )
