"""What no axis can say alone: refuse a sweep whose cells would not mean what they say."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from pqbed.errors import SpecError
from pqbed.spec.axes import AXES, one_sided
from pqbed.spec.axis import Part
from pqbed.spec.delay_tables import cut_share, largest_jitter_ns
from pqbed.spec.grid import count_parts, lay_out, values_in
from pqbed.spec.link import Distribution, Link
from pqbed.spec.link_checks import check_link, check_quic_link
from pqbed.spec.link_sides import SIDES, delay_of, distribution_of, jitter_of
from pqbed.spec.metric import TIMES
from pqbed.spec.mixture_tables import check_mixtures
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
    for link in lay_out(Link, sweep):
        check_link(link, min(sweep.mtu))
        if "3" in sweep.http:
            check_quic_link(link)
    _check_links(sweep)
    _check_needs(sweep)
    _check_copy(sweep)
    _check_precision(sweep)
    check_mixtures(sweep)
    _check_fast_open(sweep)
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
    for link in lay_out(Link, sweep):
        if link.delay_up_ns is not None and link.delay_up_ns > link.rtt_ns:
            raise SpecError(
                f"--delay-up {format_duration(link.delay_up_ns)} is more than --rtt {format_duration(link.rtt_ns)}, of "
                "which it is a part",
                "give a smaller --delay-up, or drop the short rtt",
            )
    if sweep.cut_jitter:
        return
    cut = max(_ways(sweep), key=lambda way: way.share, default=None)
    if cut is None or cut.share <= LARGEST_CUT_SHARE:
        return
    largest = f"{largest_jitter_ns(cut.delay_ns, cut.distribution, LARGEST_CUT_SHARE) / NS_PER_MS:g}ms"
    raise SpecError(
        f"{cut.flag} {format_duration(cut.jitter_ns)} ({cut.distribution}) at --rtt {format_duration(cut.link.rtt_ns)} "
        f"reaches below zero, where delays are cut: the mean RTT would be {_cut_rtt(cut.link)}",
        f"give a jitter of at most {largest}, or drop the short rtt",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One direction of a link. `share`: by how much its mean delay grows because delays are cut at zero."""

    link: Link
    flag: str
    delay_ns: int
    jitter_ns: int
    distribution: Distribution

    @property
    def share(self) -> float:
        return cut_share(self.delay_ns, self.jitter_ns, self.distribution)


def _ways(sweep: Sweep) -> Iterator[_Way]:
    """Yield the directions with jitter of all links; each delay with its jitter once."""
    seen = set()
    for link in lay_out(Link, sweep):
        for side in SIDES:
            own = delay_of(link, side), jitter_of(link, side), distribution_of(link, side)
            if own[1] and own not in seen:
                seen.add(own)
                flag = "--jitter-up" if side == "client" and link.jitter_up_ns is not None else "--jitter"
                yield _Way(link=link, flag=flag, delay_ns=own[0], jitter_ns=own[1], distribution=own[2])


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
    sentences = (
        f"at rtt {format_duration(way.link.rtt_ns)} and {way.distribution} jitter {format_duration(way.jitter_ns)} "
        f"delays are cut at zero, so the mean RTT is {_cut_rtt(way.link)}"
        for way in _ways(sweep)
        if way.share > LARGEST_CUT_SHARE
    )
    return list(dict.fromkeys(sentences))


def _cut_rtt(link: Link) -> str:
    """Return the mean RTT and by how much it is longer: `37.93ms (+8.4%)`."""
    ways = [(delay_of(link, side), jitter_of(link, side), distribution_of(link, side)) for side in SIDES]
    shares = [cut_share(*way) for way in ways]
    if any(map(math.isinf, shares)):
        return "longer than 0s"
    mean_ns = sum(delay_ns * (1 + share) for (delay_ns, _, _), share in zip(ways, shares, strict=True))
    return f"{mean_ns / NS_PER_MS:.4g}ms (+{100 * (mean_ns / link.rtt_ns - 1):.2g}%)"


def _check_needs(sweep: Sweep) -> None:
    for axis in AXES.values():
        needs = AXES[axis.of or axis.option].needs
        if not needs:
            continue
        needed = AXES[needs]
        given = [each for each in (needed, *one_sided(needed)) if values_in(each, sweep) != (each.usual,)]
        if not given and axis.values(sweep) != (axis.usual,):
            raise SpecError(
                f"{axis.flag} {axis.format(axis.values(sweep)[0])} has no effect without {needed.flag}",
                f"give a {needed.label} above {needed.usual}, or drop {axis.flag}",
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
    if sweep.precision_ppm is not None and sweep.metric not in TIMES:
        raise SpecError(
            f"--precision cannot be that of {sweep.metric}: more samples do not make it more precise",
            f"choose a --metric from {', '.join(TIMES)}, or give --samples",
        )


def _check_fast_open(sweep: Sweep) -> None:
    """Refuse SYNs with data over several MTUs: how much one carries, the kernel remembers of earlier connections."""
    if not any(sweep.fast_open):
        return
    for option in ("mtu", "path_mtu"):
        if len(values_in(AXES[option], sweep)) > 1:
            raise SpecError(
                f"--fast-open on with several values of {AXES[option].flag}: the kernel keeps the largest segment of a "
                "host (tcp_metrics), so a SYN would carry what an earlier connection allows",
                f"make one sweep per {AXES[option].label}",
            )


def _check_profile(profile: Profile) -> None:
    if profile.client_chain is not None and not profile.mutual:
        raise SpecError(
            f"profile {profile.name!r} has a client_chain, and its client sends none",
            "add mutual = true, or leave out client_chain",
        )
    if profile.client_chain is not None and profile.client_chain.ocsp:
        raise SpecError(
            f"profile {profile.name!r}: a client staples no OCSP response", "leave out ocsp in client_chain"
        )
    for chain in (profile.chain, profile.client_chain):
        if chain is not None and chain.depth == 1 and chain.intermediate is not None:
            raise SpecError(
                f"profile {profile.name!r} names an intermediate in a chain of depth 1, which has none",
                "give it depth = 2, or leave out intermediate",
            )
