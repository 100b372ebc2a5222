"""Measurement of one link from both sides: queue, first flights, bulk, delays, losses. The same for every bed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pqbed.calibrate.link_changes import ChangesSeen
from pqbed.calibrate.link_probe import SAME_DELAY_NS, DirectionProbe, LinkProbe, RequestedDirection, Wire
from pqbed.calibrate.measurement import (
    QUANTILES,
    UDP_IP_BYTES,
    DirectionMeasurement,
    LinkMeasurement,
    SenderMeasurement,
)
from pqbed.calibrate.measurement_schedule import LOSSES_AGAIN
from pqbed.calibrate.prober import Arrivals, FirstFlight, Prober
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES
from pqbed.spec.run_options import Clock

# At least this share of the delays of one seed must be equal: on a real clock a busy host spoils some.
SAME_SHARE: dict[Clock, float] = {"virtual": 1.0, "real": 0.6}


def measure_link(
    client: Prober, server: Prober, wire: Wire, asked: tuple[RequestedDirection, RequestedDirection]
) -> LinkMeasurement:
    """Measure the link between two open probers. `asked` holds up and down, in this order."""
    stage_queues = wire.stage_queues or (None, None)
    up = DirectionProbe(client, server, asked[0], stage_queues[0])
    down = DirectionProbe(server, client, asked[1], stage_queues[1])
    probe = LinkProbe(wire, (up, down))
    probe.fill_queues()
    # One connection each: the acknowledgements of the one would be among the other's frames.
    flights = [probe.first_flight(direction) for direction in probe.directions]
    bulks = probe.send_bulk()
    alone = probe.send_alone(1, [direction.plan.alone for direction in probe.directions])
    bursts = probe.send_bursts(1, [direction.losses for direction in probe.directions])
    repeats = _try_seeds(probe, alone, bursts)
    rtts = _round_trips(*alone)
    dropped = probe.send_past_drops()
    sizes_hold = probe.send_past_path_mtu()
    early, changes = probe.send_past_queues(), probe.send_past_changes()
    disturbed = probe.count_disturbances()
    senders = _sender(client, flights[0]), _sender(server, flights[1])
    told = probe.learn_path_mtus()
    chosen: list[dict[str, Any]] = [
        {
            "dropped": dropped[place],
            "path_mtu_holds": sizes_hold[place],
            "queue_drops_early": early[place],
            "disturbances": disturbed[place],
            "path_mtu_told": told[place],
        }
        | _shares(changes[place])
        for place in range(len(probe.directions))
    ]
    return LinkMeasurement(
        up=replace(_sum_up(up, bulks[0], alone[0], bursts[0], repeats[0]), **chosen[0]),
        down=replace(_sum_up(down, bulks[1], alone[1], bursts[1], repeats[1]), **chosen[1]),
        client=senders[0],
        server=senders[1],
        rtt_p50_ns=_quantile(rtts, 50),
        rtt_p99_ns=_quantile(rtts, 99),
    )


def _shares(seen: ChangesSeen | None) -> dict[str, float]:
    if seen is None or not seen.compared:
        return {}
    return {"mistimed": seen.mistimed / seen.compared, "mislaid": seen.mislaid / seen.compared}


def _try_seeds(probe: LinkProbe, alone: Sequence[Arrivals], bursts: Sequence[Arrivals]) -> list[bool | None]:
    """Repeat with the first seed and with another; return per direction whether losses and jitter follow it."""
    directions = probe.directions
    varied = any(direction.varies for direction in directions)
    if varied:
        counts, first, send = [direction.plan.again for direction in directions], alone, probe.send_alone
    else:
        counts = [min(direction.losses, LOSSES_AGAIN) for direction in directions]
        first, send = bursts, probe.send_bursts
        if all(_settled(came.delays(count), count) for came, count in zip(first, counts, strict=True)):
            return [None, None]
    again, other = send(1, counts), send(2, counts)
    clocks = [direction.clock if direction.varies else None for direction in directions]
    return [_follows(*parts) for parts in zip(first, again, other, counts, clocks, strict=True)]


def _follows(first: Arrivals, again: Arrivals, other: Arrivals, count: int, clock: Clock | None) -> bool | None:
    """Return whether `first` and `again` have the same draws and `other` has others; None if nothing was drawn.

    Without `clock` delays are not compared.
    """
    delays = [came.delays(count) for came in (first, again, other)]
    drawn = not all(_settled(by_number, count) for by_number in delays) or (
        clock is not None and _spread_ns(first) > 2 * SAME_DELAY_NS[clock]
    )
    if not drawn:
        return None
    return _alike(delays[0], delays[1], clock) and not _alike(delays[0], delays[2], clock)


def _settled(delays: dict[int, int], count: int) -> bool:
    """Return whether all or none arrived."""
    return len(delays) in (0, count)


def _alike(first: dict[int, int], second: dict[int, int], clock: Clock | None) -> bool:
    if first.keys() != second.keys():
        return False
    if clock is None or not first:
        return True
    same = sum(abs(first[number] - second[number]) <= SAME_DELAY_NS[clock] for number in first)
    return same >= SAME_SHARE[clock] * len(first)


def _sum_up(
    direction: DirectionProbe,
    bulk: Arrivals,
    alone: Arrivals,
    burst: Arrivals,
    repeats: bool | None,
) -> DirectionMeasurement:
    arrivals = [sent + delay for sent, delay in zip(bulk.sent_ns, bulk.delays_ns, strict=True)]
    sent_ns = max(bulk.sent_ns) - min(bulk.sent_ns) if bulk.sent_ns else 0
    # A rate keeps datagrams in order: out of order they were not slowed down, however far apart they came.
    serial = bool(arrivals) and not _late(bulk)
    passed = max(0, len(arrivals) - 1)
    if arrivals and direction.stage_queues is not None:
        # There packets are lost behind the bottleneck, which they have passed like the others.
        passed = max(bulk.numbers) - min(bulk.numbers)
    frame_bytes = direction.plan.bulk_payload_bytes + UDP_IP_BYTES + ETHERNET_HEADER_BYTES
    delays = sorted(alone.delays_ns)
    return DirectionMeasurement(
        sent=direction.losses,
        lost=direction.losses - len(burst.numbers),
        reordered=_late(burst) + _late(alone) + _late(bulk),
        delays_ns=tuple(delays[(len(delays) - 1) * q // (QUANTILES - 1)] for q in range(QUANTILES)) if delays else (),
        delay_count=len(delays),
        bulk_bytes=frame_bytes * passed,
        bulk_sent_ns=sent_ns,
        bulk_ns=max(arrivals) - min(arrivals) if serial else sent_ns,
        queue_packets=None if direction.queue is None else direction.queue.packets,
        queue_full=direction.queue is not None and direction.queue.full,
        seed_repeats=repeats,
    )


def _sender(prober: Prober, flight: FirstFlight | None) -> SenderMeasurement:
    if flight is None:
        return SenderMeasurement(
            mtu=prober.mtu(), initcwnd=None, flight_segments=None, flight_frame_bytes=None, congestion_control=""
        )
    return SenderMeasurement(
        mtu=prober.mtu(),
        initcwnd=flight.window,
        flight_segments=flight.segments,
        flight_frame_bytes=flight.packet_bytes // flight.packets if flight.packets else None,
        congestion_control=flight.congestion_control,
    )


def _round_trips(up: Arrivals, down: Arrivals) -> list[int]:
    """Return the sums of both directions' delays by number, sorted."""
    back = dict(zip(down.numbers, down.delays_ns, strict=True))
    there = zip(up.numbers, up.delays_ns, strict=True)
    return sorted(delay + back[number] for number, delay in there if number in back)


def _quantile(values: Sequence[int], percent: int) -> int | None:
    return values[(len(values) - 1) * percent // 100] if values else None


def _spread_ns(came: Arrivals) -> int:
    """Return the distance between the first and the last decile of the delays, ns."""
    delays = sorted(came.delays_ns)
    return delays[len(delays) * 9 // 10] - delays[len(delays) // 10] if len(delays) > 1 else 0


def _late(came: Arrivals) -> int:
    """Count the datagrams that arrived after one with a higher number."""
    highest, late = -1, 0
    for number in came.numbers:
        late += number < highest
        highest = max(highest, number)
    return late
