"""Links as they are asked for, and ends that are set to something else: what calibration must find, and nothing more.

The guest shapes and measures, the test judges.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pqbed.spec.drop_list import DropList
from pqbed.spec.link import GilbertElliott, Link, PlainLimit, RandomLoss, queue_fields
from pqbed.spec.link_end_shape import EndShape, Stage, end_seed
from pqbed.spec.link_timeline import LinkTrace, Outage, TraceStep, rates_alone
from pqbed.spec.path_mtu import PathMtu
from pqbed.spec.tcp import Tcp
from support.units import MS

TCP = Tcp(initcwnd_server=20, initcwnd_client=20)
# None: the end is left without any shaping.
Falsify = Callable[[EndShape], EndShape | None]
Found = set[tuple[str, str]]

FULL = Link(
    rtt_ns=40 * MS,
    bandwidth_bps=2_000_000,
    loss=RandomLoss(probability_ppm=30_000),
    jitter_ns=3 * MS,
    distribution="normal",
)


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """`asked`, what the two ends are set to instead, and what is then to be found."""

    client: Falsify = lambda shape: shape
    server: Falsify = lambda shape: shape
    stages: dict[Stage, Falsify] = field(default_factory=dict)
    found: Found
    asked: Link = FULL
    tcp: Tcp = TCP


def both(what: str) -> Found:
    return {(what, "up"), (what, "down")}


def another_seed(shape: EndShape, _count: "itertools.count[int]" = itertools.count(1)) -> EndShape:  # noqa: B008
    """Whatever was asked for: the next of a series."""
    return replace(shape, seed=end_seed(next(_count), "client"))


def set_to(**values: Any) -> Falsify:
    return lambda shape: replace(shape, **values)


def drop_instead(*numbers: int) -> Falsify:
    """Lose these packets where some are to be lost by number."""
    return lambda shape: replace(shape, drops=numbers) if shape.drops else shape


WRONG: dict[str, Wrong] = {
    "half the rate": Wrong(server=set_to(rate_bps=1_000_000), found={("rate", "down")}),
    "twice the delay": Wrong(client=set_to(delay_ns=40 * MS), server=set_to(delay_ns=40 * MS), found={("rtt", "")}),
    "loss missing": Wrong(client=set_to(loss=RandomLoss()), server=set_to(loss=RandomLoss()), found=both("loss")),
    "offloads on": Wrong(server=set_to(segmentation="host"), found={("segmentation", "server")}),
    "wrong initcwnd": Wrong(server=set_to(initcwnd=10), found={("initcwnd", "server")}),
    "seed ignored": Wrong(client=another_seed, server=another_seed, found=both("seed")),
    "queue too short": Wrong(server=set_to(limit_packets=50), found={("queue", "down")}),
    "one direction unshaped": Wrong(server=lambda _: None, found={("unshaped", "down")}),
    "wrong distribution": Wrong(client=set_to(distribution="pareto"), found={("distribution", "up")}),
    "mtu 9000": Wrong(client=set_to(mtu=9000), server=set_to(mtu=9000), found={("mtu", "client"), ("mtu", "server")}),
}

# One thing wrong with links of other kinds.
OTHERS: dict[str, Wrong] = {
    "half the jitter": Wrong(client=set_to(jitter_ns=3 * MS // 2), found={("jitter", "up")}),
    "jitter unasked": Wrong(asked=Link(rtt_ns=40 * MS), server=set_to(jitter_ns=MS), found={("jitter", "down")}),
    "loss unasked": Wrong(
        asked=Link(rtt_ns=40 * MS), client=set_to(loss=RandomLoss(probability_ppm=10_000)), found={("loss", "up")}
    ),
    "a rate unasked": Wrong(asked=Link(rtt_ns=40 * MS), client=set_to(rate_bps=10_000_000), found={("rate", "up")}),
    "one per cent missing": Wrong(
        asked=Link(rtt_ns=40 * MS, loss=RandomLoss(probability_ppm=10_000)),
        client=set_to(loss=RandomLoss()),
        found={("loss", "up")},
    ),
    "a seed that never changes": Wrong(
        asked=Link(rtt_ns=40 * MS, loss=RandomLoss(probability_ppm=100_000)),
        client=set_to(seed=77 << 32),
        found={("seed", "up")},
    ),
    "reno for cubic": Wrong(server=set_to(congestion_control="reno"), found={("congestion control", "server")}),
    "one direction unshaped, without jitter": Wrong(
        asked=Link(rtt_ns=40 * MS, bandwidth_bps=1_000_000), client=lambda _: None, found={("unshaped", "up")}
    ),
    "half the rate at 1 Gbit/s": Wrong(
        asked=Link(rtt_ns=35 * MS, bandwidth_bps=1_000_000_000),
        client=set_to(rate_bps=500_000_000),
        found={("rate", "up")},
    ),
}

# Nothing of one direction is that of the other.
APART = Link(
    rtt_ns=100 * MS,
    delay_up_ns=30 * MS,
    bandwidth_bps=4_000_000,
    bandwidth_up_bps=1_000_000,
    jitter_ns=8 * MS,
    distribution="normal",
    jitter_up_ns=3 * MS,
    distribution_up="uniform",
    queue_packets=100,
    queue_up_packets=30,
)
OTHERS |= {
    "delays of the other direction": Wrong(
        asked=Link(rtt_ns=100 * MS, delay_up_ns=30 * MS),
        client=set_to(delay_ns=70 * MS),
        server=set_to(delay_ns=30 * MS),
        found=both("delay"),
    ),
    "jitter of the other direction": Wrong(asked=APART, client=set_to(jitter_ns=8 * MS), found={("jitter", "up")}),
    "router: queue of the other direction": Wrong(
        asked=replace(APART, layout="router"), stages={"up-rate": set_to(limit_packets=101)}, found={("queue", "up")}
    ),
}

# A list of packets that are lost, on a link that loses others too.
DROPPED = replace(FULL, drop=DropList(up=(2,), down=(1, 3, 4)))
OTHERS |= {
    "drop list of another direction": Wrong(
        asked=DROPPED, client=drop_instead(1, 3, 4), server=drop_instead(2), found=both("drop")
    ),
    "router: drop list missing": Wrong(
        asked=replace(DROPPED, layout="router"), stages={"down-delay": drop_instead()}, found={("drop", "down")}
    ),
}

HOLE = replace(FULL, path_mtu=PathMtu(size_bytes=1400, handling="swallowed"))
OTHERS |= {
    "black hole missing": Wrong(asked=HOLE, client=set_to(largest_packet=0), found={("path mtu", "up")}),
    "router: a smaller black hole": Wrong(
        asked=replace(HOLE, layout="router"),
        stages={"down-delay": lambda shape: replace(shape, largest_packet=min(shape.largest_packet, 1399))},
        found={("path mtu", "down")},
    ),
}

# As FULL, and a queue that the sender is not told of.
ROUTED = replace(FULL, layout="router", queue_packets=200)
OTHERS |= {
    "router: half the rate": Wrong(
        asked=ROUTED, stages={"down-rate": set_to(rate_bps=1_000_000)}, found={("rate", "down")}
    ),
    "router: twice the delay": Wrong(
        asked=ROUTED,
        stages={"up-delay": set_to(delay_ns=40 * MS), "down-delay": set_to(delay_ns=40 * MS)},
        found={("rtt", "")},
    ),
    "router: loss missing": Wrong(asked=ROUTED, stages={"up-delay": set_to(loss=RandomLoss())}, found={("loss", "up")}),
    "router: queue too short": Wrong(
        asked=ROUTED, stages={"down-rate": set_to(limit_packets=20)}, found={("queue", "down")}
    ),
    "router: queue too long": Wrong(
        asked=ROUTED, stages={"down-rate": set_to(limit_packets=1000)}, found={("queue", "down")}
    ),
    "router: offloads on": Wrong(asked=ROUTED, client=set_to(segmentation="host"), found={("segmentation", "client")}),
    "router: seed ignored": Wrong(asked=ROUTED, stages={"up-delay": another_seed}, found={("seed", "up")}),
}

# Queues that netem has not.
MANAGED = replace(FULL, layout="router", queue_discipline="fq_codel")
SIZED = replace(FULL, layout="router", queue_bytes=60_000)
OTHERS |= {
    "router: a fifo for fq_codel": Wrong(
        asked=MANAGED,
        stages={
            "down-rate": lambda shape: (
                replace(shape, discipline="fifo", limit_packets=0, queue_bytes=1_500_000) if shape.discipline else shape
            )
        },
        found={("queue discipline", "down")},
    ),
    "router: half the bytes": Wrong(
        asked=SIZED, stages={"up-rate": set_to(queue_bytes=30_000)}, found={("queue", "up")}
    ),
}

# Links that change.
OUTAGE = Outage(at_ns=400 * MS, for_ns=300 * MS, every_ns=1500 * MS)
TRACE = LinkTrace(
    name="two",
    steps=(
        TraceStep(at_ns=0, rate_bps=2_000_000, delay_ns=30 * MS),
        TraceStep(at_ns=700 * MS, rate_bps=500_000, delay_ns=50 * MS),
    ),
    period_ns=2000 * MS,
)
OUT = replace(FULL, outage=OUTAGE)
TRACED = replace(FULL, layout="router", trace=TRACE)


def with_timeline(**values: Any) -> Falsify:
    """Let it change otherwise where it is to change."""
    return lambda shape: (
        replace(shape, timeline=replace(shape.timeline, **values)) if shape.timeline is not None else shape
    )


OTHERS |= {
    "outage missing": Wrong(asked=OUT, server=with_timeline(outage=None), found={("outage", "down")}),
    "a shorter outage": Wrong(
        asked=OUT, client=with_timeline(outage=replace(OUTAGE, for_ns=200 * MS)), found={("outage", "up")}
    ),
    "router: another offset": Wrong(
        asked=TRACED, stages={"down-delay": with_timeline(offset_ns=0)}, found={("trace", "down")}
    ),
    "router: delays of the trace missing": Wrong(
        asked=TRACED, stages={"up-delay": with_timeline(trace=rates_alone(TRACE))}, found={("trace", "up")}
    ),
}

# Packets that are reordered, duplicated or corrupted.
DISTURBED = replace(FULL, reorder_ppm=80_000, duplicate_ppm=60_000, corrupt_ppm=70_000)
OTHERS |= {
    f"no packet with {what}": Wrong(asked=DISTURBED, client=set_to(**{f"{what}_ppm": 0}), found={(what, "up")})
    for what in ("reorder", "duplicate", "corrupt")
} | {
    "router: three times as many reordered": Wrong(
        asked=replace(DISTURBED, layout="router"),
        stages={"down-delay": lambda shape: replace(shape, reorder_ppm=3 * shape.reorder_ppm)},
        found={("reorder", "down")},
    )
}

# A path that tells its MTU.
TOLD = replace(FULL, layout="router", path_mtu=PathMtu(size_bytes=1400, handling="told"))
OTHERS |= {
    "router: another path MTU is told": Wrong(
        asked=TOLD,
        stages={"up-rate": lambda shape: replace(shape, mtu=max(shape.mtu, 1450))},
        found={("path mtu", "up")},
    )
}

RIGHT: dict[str, tuple[Link, Tcp]] = {
    "full": (FULL, TCP),
    "plain": (Link(rtt_ns=35 * MS, bandwidth_bps=1_000_000), TCP),
    "lossy": (Link(rtt_ns=200 * MS, bandwidth_bps=1_000_000, loss=RandomLoss(probability_ppm=100_000)), TCP),
    "fast": (Link(rtt_ns=200 * MS, bandwidth_bps=1_000_000_000), TCP),
    "bursts": (
        Link(
            rtt_ns=100 * MS, bandwidth_bps=10_000_000, loss=GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=250_000)
        ),
        TCP,
    ),
    "uneven": (
        Link(
            rtt_ns=50 * MS,
            bandwidth_bps=20_000_000,
            bandwidth_up_bps=1_000_000,
            loss=RandomLoss(),
            loss_up=RandomLoss(probability_ppm=20_000),
        ),
        Tcp(initcwnd_server=30, initcwnd_client=4, congestion_control="bbr", congestion_control_client="cubic"),
    ),
    "drop list": (DROPPED, TCP),
    "black hole": (HOLE, TCP),
    "each direction its own": (APART, TCP),
    "router, each direction its own": (replace(APART, layout="router"), TCP),
    "pareto without a rate": (Link(rtt_ns=60 * MS, jitter_ns=5 * MS, distribution="paretonormal"), TCP),
    "uniform": (Link(rtt_ns=60 * MS, jitter_ns=5 * MS), TCP),
    "offload-off": (Link(rtt_ns=35 * MS, bandwidth_bps=1_000_000, segmentation="offload-off"), TCP),
    "short queue": (Link(rtt_ns=35 * MS, bandwidth_bps=1_000_000, queue_packets=5), Tcp(mtu=9000)),
    "the limit of a study": (
        Link(rtt_ns=200 * MS, bandwidth_bps=1_000_000_000, **queue_fields(PlainLimit(packets=1000))),
        TCP,
    ),
    "large window": (Link(rtt_ns=100 * MS), Tcp(initcwnd_server=200)),
    "router": (ROUTED, TCP),
    "router, fq_codel": (MANAGED, TCP),
    "router, pie and cake": (replace(MANAGED, queue_discipline="pie", queue_discipline_up="cake"), TCP),
    "router, a queue in bytes": (SIZED, TCP),
    "router, a queue in time": (replace(FULL, layout="router", queue_ns=200 * MS), TCP),
    "disturbed": (DISTURBED, TCP),
    "router, disturbed": (replace(DISTURBED, layout="router"), TCP),
    "router, a path MTU that is told": (TOLD, TCP),
    "outages": (OUT, TCP),
    "router, trace": (TRACED, TCP),
    "router, trace and outages": (replace(TRACED, outage=OUTAGE), TCP),
    "router, plain": (Link(rtt_ns=35 * MS, bandwidth_bps=1_000_000, layout="router"), TCP),
    "router, lossy": (
        Link(rtt_ns=200 * MS, bandwidth_bps=1_000_000, loss=RandomLoss(probability_ppm=100_000), layout="router"),
        TCP,
    ),
    "router, fast": (Link(rtt_ns=35 * MS, bandwidth_bps=1_000_000_000, layout="router"), TCP),
    "router without a rate": (Link(rtt_ns=35 * MS, loss=RandomLoss(probability_ppm=50_000), layout="router"), TCP),
    "bare": (Link(rtt_ns=0), TCP),
    "deaf": (Link(rtt_ns=35 * MS, loss=RandomLoss(probability_ppm=1_000_000)), TCP),
}
