"""Fake calibration: the measurement of a link that is exactly as requested, for the fake bed."""

from pqbed.calibrate.delay_spread import asked_delays, quantile
from pqbed.calibrate.measurement import (
    QUANTILES,
    SMALL_FRAME_BYTES,
    DirectionMeasurement,
    LinkMeasurement,
    SenderMeasurement,
)
from pqbed.calibrate.measurement_schedule import LARGEST_QUEUE, schedule
from pqbed.spec.link import PPM, Link, mean_loss_ppm
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES, EndShape, queue_limit, shape_direction
from pqbed.spec.steady_link import steady_link
from pqbed.spec.tcp import Tcp
from pqbed.units import NS_PER_S


def fake_measurement(link: Link, tcp: Tcp) -> LinkMeasurement:
    """Return the measurement."""
    link = steady_link(link)
    client, server = (shape_direction(link, tcp, "client", 1), shape_direction(link, tcp, "server", 1))
    up = _fake_direction(client, queue_limit(link, tcp, "client"))
    down = _fake_direction(server, queue_limit(link, tcp, "server"))
    return LinkMeasurement(
        up=up,
        down=down,
        client=_fake_sender(client),
        server=_fake_sender(server),
        rtt_p50_ns=up.delays_ns[50] + down.delays_ns[50] if up.delays_ns and down.delays_ns else None,
        rtt_p99_ns=up.delays_ns[99] + down.delays_ns[99] if up.delays_ns and down.delays_ns else None,
    )


def _fake_direction(shape: EndShape, limit: int | None) -> DirectionMeasurement:
    plan = schedule(shape, "virtual")
    lost = round(plan.losses * mean_loss_ppm(shape.loss) / PPM)
    asked = asked_delays(shape.delay_ns, shape.jitter_ns, shape.distribution)
    own_ns = 0 if shape.rate_bps is None else 8 * SMALL_FRAME_BYTES * NS_PER_S // shape.rate_bps
    arrived = lost < plan.losses
    bulk_bytes = (plan.bulk - 1) * (shape.mtu + ETHERNET_HEADER_BYTES) if arrived else 0
    return DirectionMeasurement(
        sent=plan.losses,
        lost=lost,
        reordered=0,
        delays_ns=tuple(round(quantile(asked, q / (QUANTILES - 1))) + own_ns for q in range(QUANTILES))
        if arrived
        else (),
        delay_count=plan.alone if arrived else 0,
        bulk_bytes=bulk_bytes,
        bulk_sent_ns=0,
        bulk_ns=0 if shape.rate_bps is None else 8 * bulk_bytes * NS_PER_S // shape.rate_bps,
        queue_packets=None if limit is None else min(limit, LARGEST_QUEUE),
        queue_full=limit is not None and limit <= LARGEST_QUEUE,
        seed_repeats=None,
        dropped=shape.drops,
        path_mtu_holds=True if shape.largest_packet else None,
        queue_drops_early=True if shape.discipline not in {None, "fifo"} else None,
    )


def _fake_sender(shape: EndShape) -> SenderMeasurement:
    segments = 1 if shape.segmentation == "wire" else 2
    return SenderMeasurement(
        mtu=shape.mtu,
        initcwnd=shape.initcwnd,
        flight_segments=shape.initcwnd,
        flight_frame_bytes=segments * (shape.mtu + ETHERNET_HEADER_BYTES),
        congestion_control=shape.congestion_control,
    )
