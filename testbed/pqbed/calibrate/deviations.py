"""Deviations of a measured link from the requested one, by name. Pure, and usable without any bed.

One cause gives one deviation: a wrong rate does not lengthen the RTT (serialisation at the measured rate is
subtracted), and a direction that is not shaped at all is reported as `unshaped` and nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pqbed.calibrate import delay_spread as spread
from pqbed.calibrate.binomial import proportion_interval
from pqbed.calibrate.measurement import (
    SMALL_FRAME_BYTES,
    DirectionMeasurement,
    LinkMeasurement,
    SenderMeasurement,
)
from pqbed.calibrate.measurement_schedule import LARGEST_QUEUE
from pqbed.calibrate.tolerances import ALPHA, TOLERANCES, Tolerance
from pqbed.spec.link import PPM, GilbertElliott, Link, Loss, mean_loss_ppm
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES, JITTER_REACH, EndShape, queue_limit, shape_direction
from pqbed.spec.link_sides import Side, path_mtu_of
from pqbed.spec.run_options import Clock
from pqbed.spec.steady_link import steady_link
from pqbed.spec.tcp import Tcp
from pqbed.units import NS_PER_MS, NS_PER_S

What = Literal[
    "unshaped",
    "rtt",
    "delay",
    "rate",
    "loss",
    "jitter",
    "distribution",
    "reordering",
    "queue",
    "mtu",
    "segmentation",
    "initcwnd",
    "congestion control",
    "seed",
    "drop",
    "path mtu",
    "queue discipline",
    "trace",
    "outage",
    "reorder",
    "duplicate",
    "corrupt",
    "link",
]
Where = Literal["", "up", "down", "client", "server"]

# A direction with less than this share of the requested delay has none.
BARE_SHARE = 0.05
# A flipped bit in the sender's Ethernet address harms no datagram.
FATAL_SHARE = 1 - 6 / SMALL_FRAME_BYTES
# With fewer delays their distribution cannot be judged.
FEWEST_DELAYS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One deviation of a link. `asked` and `achieved` are texts to show."""

    what: What
    where: Where = ""
    asked: str
    achieved: str

    @property
    def text(self) -> str:
        """Return it as one line: `rtt: asked 35 ms, achieved 70 ms`."""
        name = f"{self.what} {self.where}".strip()
        return f"{name}: asked {self.asked}, achieved {self.achieved}" if self.asked else f"{name}: {self.achieved}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _DirectionCheck:
    where: Where
    shape: EndShape
    direction: DirectionMeasurement
    limit: int | None
    bare: bool


# Deviations of the delay distribution, by direction.
Uneven = Mapping[Where, Sequence[Deviation]]


def judge(link: Link, tcp: Tcp, measured: LinkMeasurement, clock: Clock) -> tuple[Deviation, ...]:
    """Return the deviations of a link; none if it is as requested, as far as could be measured."""
    tolerance, asked, link = TOLERANCES[clock], link, steady_link(link)
    shapes: dict[Side, EndShape] = {
        "client": shape_direction(link, tcp, "client", 1),
        "server": shape_direction(link, tcp, "server", 1),
    }
    limits = {side: queue_limit(link, tcp, side) for side in shapes}
    directions = (
        _check_direction("up", shapes["client"], limits["client"], measured.up),
        _check_direction("down", shapes["server"], limits["server"], measured.down),
    )
    deviations: list[Deviation] = [
        Deviation(what="unshaped", where=direction.where, asked="a shaped direction", achieved="none of it")
        for direction in directions
        if direction.bare
    ]
    shaped = [direction for direction in directions if not direction.bare]
    uneven = {direction.where: tuple(_judge_spread(direction, tolerance)) for direction in shaped}
    deviations += _judge_rtt(link, shaped, uneven, tolerance)
    for direction in shaped:
        deviations += _judge_direction(direction, uneven[direction.where], tolerance)
    for direction in shaped:
        deviations += _judge_disturbances(asked, direction)
        told = direction.direction.path_mtu_told
        if told is not None and told != path_mtu_of(asked, "told"):
            wanted = f"{path_mtu_of(asked, 'told')} bytes, told by ICMP"
            deviations.append(Deviation(what="path mtu", where=direction.where, asked=wanted, achieved=f"{told} bytes"))
    deviations += _judge_sender("client", shapes["client"], measured.client)
    deviations += _judge_sender("server", shapes["server"], measured.server)
    return tuple(deviations)


def achieved_rate_bps(direction: DirectionMeasurement) -> int | None:
    """Return the rate of a direction; None if datagrams arrived as fast as they were sent, or too few arrived."""
    slowed = direction.bulk_bytes and direction.bulk_ns > direction.bulk_sent_ns + direction.bulk_sent_ns // 4
    return 8 * direction.bulk_bytes * NS_PER_S // direction.bulk_ns if slowed else None


def own_time_ns(direction: DirectionMeasurement) -> int:
    """Return the serialisation time of a small datagram at the measured rate, ns."""
    rate_bps = achieved_rate_bps(direction)
    return 8 * SMALL_FRAME_BYTES * NS_PER_S // rate_bps if rate_bps else 0


def _check_direction(
    where: Where, shape: EndShape, limit: int | None, direction: DirectionMeasurement
) -> _DirectionCheck:
    """Check whether nothing was set at all on a direction that should be shaped."""
    asked = shape.delay_ns > 0 or shape.rate_bps is not None
    middle_ns = spread.quantile(direction.delays_ns, 0.5) if direction.delays_ns else shape.delay_ns + 1
    still = shape.delay_ns == 0 or middle_ns <= BARE_SHARE * shape.delay_ns
    fast = achieved_rate_bps(direction) is None
    bare = asked and still and fast and direction.queue_packets is None
    return _DirectionCheck(where=where, shape=shape, direction=direction, limit=limit, bare=bare)


def _judge_rtt(
    link: Link, directions: list[_DirectionCheck], uneven: Uneven, tolerance: Tolerance
) -> Iterator[Deviation]:
    off_ns, allowed_ns = 0.0, tolerance.rtt_ns + tolerance.rtt_share * link.rtt_ns
    own = list[tuple[_DirectionCheck, float, float]]()
    for check in directions:
        if not check.direction.delays_ns:
            return
        asked = spread.asked_delays(check.shape.delay_ns, check.shape.jitter_ns, check.shape.distribution)
        middle_ns = spread.quantile(asked, 0.5)
        own_off_ns = spread.quantile(check.direction.delays_ns, 0.5) - own_time_ns(check.direction) - middle_ns
        # The median of few draws may be another quantile.
        astray = spread.critical_distance(check.direction.delay_count, ALPHA)
        own_allowed_ns = spread.quantile(asked, 0.5 + astray) - spread.quantile(asked, 0.5 - astray)
        # Another distribution has another median, less than a jitter away: that is reported already.
        own_allowed_ns += check.shape.jitter_ns if uneven[check.where] else 0
        off_ns += own_off_ns
        allowed_ns += own_allowed_ns
        own.append((check, own_off_ns, own_allowed_ns + tolerance.rtt_ns + tolerance.rtt_share * link.rtt_ns))
    if abs(off_ns) > allowed_ns:
        yield Deviation(what="rtt", asked=_time(link.rtt_ns), achieved=_time(link.rtt_ns + off_ns))
        return
    for check, own_off_ns, own_allowed_ns in own:
        if abs(own_off_ns) > own_allowed_ns:
            delay_ns = check.shape.delay_ns
            yield Deviation(
                what="delay", where=check.where, asked=_time(delay_ns), achieved=_time(delay_ns + own_off_ns)
            )


def _judge_direction(check: _DirectionCheck, uneven: Sequence[Deviation], tolerance: Tolerance) -> Iterator[Deviation]:
    yield from _judge_rate(check, tolerance)
    yield from _judge_loss(check)
    shape, direction = check.shape, check.direction
    yield from uneven
    if not uneven and direction.reordered and (shape.jitter_ns == 0 or shape.rate_bps is not None):
        yield Deviation(
            what="reordering", where=check.where, asked="none", achieved=f"{direction.reordered} datagrams late"
        )
    yield from _judge_queue(check, tolerance)
    if direction.seed_repeats is False:
        yield Deviation(
            what="seed", where=check.where, asked="draws that follow it", achieved="draws that do not, or never change"
        )
    if direction.path_mtu_holds is False:
        asked = f"packets above {shape.largest_packet} bytes lost, and no other"
        yield Deviation(what="path mtu", where=check.where, asked=asked, achieved="others")
    for what, share in (("trace", direction.mistimed), ("outage", direction.mislaid)):
        if share is not None and share > tolerance.changes_share:
            yield Deviation(
                what="trace" if what == "trace" else "outage",
                where=check.where,
                asked="changes as given",
                achieved=f"others, by {_percent(share)} of datagrams",
            )
    if direction.queue_drops_early is False:
        asked = f"{shape.discipline}, which drops before it is full"
        yield Deviation(what="queue discipline", where=check.where, asked=asked, achieved="no drop")
    if direction.dropped is not None and direction.dropped != shape.drops:
        yield Deviation(
            what="drop", where=check.where, asked=_numbers(shape.drops), achieved=_numbers(direction.dropped)
        )


def _judge_rate(check: _DirectionCheck, tolerance: Tolerance) -> Iterator[Deviation]:
    shape, direction = check.shape, check.direction
    if direction.bulk_bytes == 0:
        return
    serial_ns = 0 if shape.rate_bps is None else 8 * direction.bulk_bytes * NS_PER_S // shape.rate_bps
    expected_ns = max(direction.bulk_sent_ns, serial_ns)
    allowed_ns = tolerance.rate_ns + tolerance.rate_share * expected_ns + 2 * JITTER_REACH * shape.jitter_ns
    if abs(direction.bulk_ns - expected_ns) > allowed_ns:
        yield Deviation(
            what="rate", where=check.where, asked=_rate(shape.rate_bps), achieved=_rate(achieved_rate_bps(direction))
        )


def _judge_loss(check: _DirectionCheck) -> Iterator[Deviation]:
    direction, asked_ppm = check.direction, mean_loss_ppm(check.shape.loss)
    weight = draws_in_one(check.shape.loss)
    low, high = proportion_interval(round(direction.lost / weight), round(direction.sent / weight), ALPHA)
    if not low <= asked_ppm / PPM <= high:
        achieved = f"{_percent(direction.lost / direction.sent)} ({direction.lost} of {direction.sent})"
        yield Deviation(what="loss", where=check.where, asked=_percent(asked_ppm / PPM), achieved=achieved)


def _judge_disturbances(link: Link, check: _DirectionCheck) -> Iterator[Deviation]:
    seen = check.direction.disturbances
    if seen is None:
        return
    shares: tuple[tuple[What, int, int], ...] = (
        ("duplicate", link.duplicate_ppm, seen.twice),
        ("corrupt", round(link.corrupt_ppm * FATAL_SHARE), seen.missing),
        # Without a delay none can come too early.
        *((("reorder", link.reorder_ppm, seen.early),) if check.shape.delay_ns else ()),
    )
    for what, asked_ppm, count in shares:
        low, high = proportion_interval(count, seen.sent, ALPHA)
        if not low <= asked_ppm / PPM <= high:
            achieved = f"{_percent(count / seen.sent)} ({count} of {seen.sent})"
            yield Deviation(what=what, where=check.where, asked=_percent(asked_ppm / PPM), achieved=achieved)


def draws_in_one(loss: Loss) -> float:
    """Return how many datagrams with burst loss carry the information of one with independent loss; 1 for random.

    The variance inflation of a mean over a two-state Markov chain, whose states are correlated as (1 - p - r)^distance.
    """
    if not isinstance(loss, GilbertElliott):
        return 1.0
    mean = mean_loss_ppm(loss) / PPM
    enter, leave = loss.enter_bad_ppm / PPM, loss.leave_bad_ppm / PPM
    stays = 1 - enter - leave
    if mean in (0, 1) or stays <= 0 or stays >= 1:
        return 1.0
    bad = enter / (enter + leave)
    between = bad * (1 - bad) * ((loss.loss_in_bad_ppm - loss.loss_in_good_ppm) / PPM) ** 2
    return 1 + 2 * between / (mean * (1 - mean)) * stays / (1 - stays)


def _judge_spread(check: _DirectionCheck, tolerance: Tolerance) -> Iterator[Deviation]:
    shape, delays = check.shape, check.direction.delays_ns
    if check.direction.delay_count < FEWEST_DELAYS:
        return
    if shape.jitter_ns == 0:
        reach_ns = (spread.quantile(delays, 0.9) - spread.quantile(delays, 0.1)) / 2
        if 2 * reach_ns > tolerance.jitter_ns:
            yield Deviation(what="jitter", where=check.where, asked="none", achieved=_time(reach_ns))
        return
    asked = spread.asked_delays(shape.delay_ns, shape.jitter_ns, shape.distribution)
    allowed = spread.critical_distance(check.direction.delay_count, ALPHA) + tolerance.spread_share
    if spread.distance(delays, asked) <= allowed:
        return
    # Either another jitter of the same distribution, or the same jitter of another one: the nearer is reported.
    factor = spread.interquartile_range(delays) / spread.interquartile_range(asked)
    nearest, of_nearest = spread.nearest_distribution(delays, shape.delay_ns, shape.jitter_ns)
    of_jitter = 0.0 if factor == 0 else spread.distance(spread.stretched(delays, 1 / factor), asked)
    if of_jitter <= min(allowed, of_nearest):
        achieved = _time(factor * shape.jitter_ns)
        yield Deviation(what="jitter", where=check.where, asked=_time(shape.jitter_ns), achieved=achieved)
        return
    achieved = nearest if of_nearest <= allowed else f"none that is known, nearest to {nearest}"
    if spread.cut_count(shape.delay_ns, shape.jitter_ns, nearest):
        achieved += " cut at zero"
    yield Deviation(what="distribution", where=check.where, asked=shape.distribution, achieved=achieved)


def _judge_queue(check: _DirectionCheck, tolerance: Tolerance) -> Iterator[Deviation]:
    held, limit = check.direction.queue_packets, check.limit
    if held is None or limit is None or (not check.direction.queue_full and limit >= LARGEST_QUEUE):
        return
    if abs(held - limit) > tolerance.queue_share * limit:
        more = "" if check.direction.queue_full else "at least "
        yield Deviation(what="queue", where=check.where, asked=f"{limit} packets", achieved=f"{more}{held} packets")


def _judge_sender(where: Where, shape: EndShape, sender: SenderMeasurement) -> Iterator[Deviation]:
    if sender.mtu != shape.mtu:
        yield Deviation(what="mtu", where=where, asked=str(shape.mtu), achieved=str(sender.mtu))
    frame_bytes, control = sender.flight_frame_bytes, sender.congestion_control
    if frame_bytes is not None:
        large = frame_bytes > sender.mtu + ETHERNET_HEADER_BYTES
        # bbr paces its packets, and may send a flight one by one whatever it is allowed.
        if large if shape.segmentation == "wire" else not large and control != "bbr":
            achieved = f"frames of {frame_bytes} bytes"
            yield Deviation(what="segmentation", where=where, asked=shape.segmentation, achieved=achieved)
    if sender.initcwnd is not None and shape.initcwnd and sender.initcwnd != shape.initcwnd:
        yield Deviation(what="initcwnd", where=where, asked=str(shape.initcwnd), achieved=str(sender.initcwnd))
    if control and shape.congestion_control and control != shape.congestion_control:
        yield Deviation(what="congestion control", where=where, asked=shape.congestion_control, achieved=control)


def _numbers(packets: tuple[int, ...]) -> str:
    return f"packet{'s' if len(packets) > 1 else ''} {', '.join(map(str, packets))}" if packets else "none"


def _time(value_ns: float) -> str:
    return f"{value_ns / NS_PER_MS:.4g} ms"


def _rate(value_bps: int | None) -> str:
    return "no limit" if value_bps is None else f"{value_bps / 1e6:.4g} Mbit/s"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
