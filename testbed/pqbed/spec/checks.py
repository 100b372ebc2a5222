"""What no axis can say alone: refuse a sweep whose cells would not mean what they say."""

import math

from pqbed.errors import SpecError
from pqbed.spec.profile import Profile
from pqbed.spec.sweep import Sweep
from pqbed.units import format_duration

MOST_CELLS = 100_000


def check_sweep(sweep: Sweep) -> Sweep:
    """Return `sweep` if its axes fit together, else raise SpecError."""
    _check_cell_count(sweep)
    _check_jitter(sweep)
    _check_distribution(sweep)
    _check_copy(sweep)
    _check_precision(sweep)
    for profile in sweep.profiles:
        _check_profile(profile)
    return sweep


def cell_count(sweep: Sweep) -> int:
    """Return the number of cells without laying them out."""
    axes = (
        sweep.rtt_ns,
        sweep.bandwidth_bps,
        sweep.bandwidth_up_bps,
        sweep.loss,
        sweep.loss_up,
        sweep.jitter_ns,
        sweep.distribution,
        sweep.queue_packets,
        sweep.segmentation,
        sweep.layout,
        sweep.initcwnd,
        sweep.initcwnd_client,
        sweep.congestion_control,
        sweep.congestion_control_client,
        sweep.arms,
        sweep.size_bytes,
        sweep.http,
    )
    return math.prod(map(len, axes))


def _check_cell_count(sweep: Sweep) -> None:
    count = cell_count(sweep)
    if count > MOST_CELLS:
        raise SpecError(
            f"the sweep has {count} cells, and at most {MOST_CELLS} are allowed",
            "shorten an axis, or make several sweeps of it",
        )


def _check_jitter(sweep: Sweep) -> None:
    # netem cuts a negative delay to zero, which would lengthen the mean RTT unseen.
    rtt_ns, jitter_ns = min(sweep.rtt_ns), max(sweep.jitter_ns)
    if jitter_ns > rtt_ns // 2:
        raise SpecError(
            f"jitter {format_duration(jitter_ns)} is more than one direction's delay at rtt {format_duration(rtt_ns)}",
            f"give a jitter of at most {format_duration(rtt_ns // 2)}, or leave out the short rtt",
        )


def _check_distribution(sweep: Sweep) -> None:
    if not any(sweep.jitter_ns) and sweep.distribution != ("uniform",):
        raise SpecError(
            f"distribution {sweep.distribution[0]!r} has no effect without jitter",
            "give a jitter above 0, or leave out the distribution",
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
            "a precision is that of a comparison, and one profile has nothing to be compared with",
            "name a second profile, or give a number of samples",
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
