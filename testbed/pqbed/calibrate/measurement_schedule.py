"""Measurement schedule: the least effort that distinguishes a wrong link from a correct one, by clock. Pure.

Virtual time costs only CPU: 45 us per datagram back to back, 85 us per datagram alone on the wire, system calls of both
sides included. In real time each part has a time limit.
"""

from dataclasses import dataclass

from pqbed.calibrate.measurement import SMALL_FRAME_BYTES, UDP_IP_BYTES
from pqbed.spec.link import PPM, GilbertElliott
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES, JITTER_REACH, EndShape
from pqbed.spec.run_options import Clock
from pqbed.units import NS_PER_MS, NS_PER_S

# Deferred work of the kernel after shaping delays the first packet by up to 0.6 ms.
SETTLE_NS = 50 * NS_PER_MS
# A burst fills at most this share of the queue.
QUEUE_SHARE = 0.5
# The most packets put into a queue: at 2.3 KB each, a lane's memory has no room for more.
LARGEST_QUEUE = 20_000
# Lost datagrams are waited for after each burst, so their number is limited.
MOST_BURSTS = 20
# Losses of one seed are compared over this many datagrams.
LOSSES_AGAIN = 500
# Tries for a connection whose handshake loses nothing: at 10 % loss one of four is lost.
CONNECT_TRIES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Upper bounds. Counts are datagrams per direction, `_ns` is the time that a part may take on the wire."""

    least_losses: int
    most_losses: int
    loss_ns: int
    spread: int
    alone: int
    spread_ns: int
    again: int
    bulk: int
    bulk_ns: int


EFFORTS: dict[Clock, Effort] = {
    "virtual": Effort(
        least_losses=400,
        most_losses=2000,
        loss_ns=1000 * NS_PER_S,
        spread=600,
        alone=40,
        spread_ns=1000 * NS_PER_S,
        again=100,
        bulk=100,
        bulk_ns=1000 * NS_PER_S,
    ),
    "real": Effort(
        least_losses=400,
        most_losses=2000,
        loss_ns=1 * NS_PER_S,
        spread=400,
        alone=40,
        spread_ns=3 * NS_PER_S,
        again=25,
        bulk=200,
        bulk_ns=1 * NS_PER_S,
    ),
}
# Loss p is distinguished from none, at the significance level of tolerances.py, in 10 / p datagrams.
LOSSES_TO_TELL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The datagrams of one direction. `gap_ns` keeps each single datagram alone on the wire."""

    delay_ns: int
    alone: int
    gap_ns: int
    again: int
    losses: int
    small_ns: int
    bulk: int
    bulk_payload_bytes: int
    bulk_frame_ns: int

    @property
    def wait_ns(self) -> int:
        """Return how long to wait for a late datagram: a link with twice the delay must not seem dead."""
        return 2 * self.delay_ns + 200 * NS_PER_MS


def schedule(shape: EndShape, clock: Clock) -> Schedule:
    """Return the schedule of one direction of a link that is shaped as `shape`."""
    effort = EFFORTS[clock]
    small_ns, frame_ns = _frame_ns(shape, SMALL_FRAME_BYTES), _frame_ns(shape, shape.mtu + ETHERNET_HEADER_BYTES)
    reach_ns = JITTER_REACH * shape.jitter_ns
    # With a rate, netem keeps datagrams in order: only a datagram that is alone takes the delay it drew.
    gap_ns = NS_PER_MS if shape.rate_bps is None else 2 * reach_ns + 4 * small_ns + NS_PER_MS
    wanted = effort.spread if shape.jitter_ns else effort.alone
    alone = _within(wanted, effort.spread_ns, gap_ns)
    return Schedule(
        delay_ns=shape.delay_ns + reach_ns,
        alone=alone,
        gap_ns=gap_ns,
        again=min(effort.again, max(3, alone // 3)),
        losses=_within(_losses(shape, effort), effort.loss_ns, small_ns),
        small_ns=small_ns,
        bulk=_within(effort.bulk, effort.bulk_ns, frame_ns),
        bulk_payload_bytes=shape.mtu - UDP_IP_BYTES,
        bulk_frame_ns=frame_ns,
    )


def real_seconds(client: EndShape, server: EndShape) -> float:
    """Return the longest that calibrating a link takes on a real clock, apart from lost handshakes."""
    total_ns = 0
    for plan in (schedule(client, "real"), schedule(server, "real")):
        trains = 5 if client.jitter_ns or _is_lossy(client) or _is_lossy(server) else 3
        total_ns += trains * (SETTLE_NS + plan.delay_ns)
        total_ns += (plan.alone + 2 * plan.again) * plan.gap_ns + 2 * plan.losses * plan.small_ns
        total_ns += plan.bulk * plan.bulk_frame_ns
        total_ns += trains * plan.wait_ns if _is_lossy(client) or _is_lossy(server) else 0
    return total_ns / NS_PER_S


def _losses(shape: EndShape, effort: Effort) -> int:
    if isinstance(shape.loss, GilbertElliott):
        return effort.most_losses
    share = shape.loss.probability_ppm / PPM
    wanted = LOSSES_TO_TELL / share if share else 0
    return int(min(effort.most_losses, max(effort.least_losses, wanted)))


def _is_lossy(shape: EndShape) -> bool:
    return isinstance(shape.loss, GilbertElliott) or shape.loss.probability_ppm > 0


def _within(wanted: int, budget_ns: int, each_ns: int) -> int:
    """Return as many as fit the budget, but at least three."""
    return max(3, min(wanted, budget_ns // each_ns if each_ns else wanted))


def _frame_ns(shape: EndShape, frame_bytes: int) -> int:
    return 0 if shape.rate_bps is None else 8 * frame_bytes * NS_PER_S // shape.rate_bps
