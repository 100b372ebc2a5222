"""Measurements of a link, without any judgement (judge.py).

Times in ns, sizes in bytes. A value that could not be measured is None.
"""

from dataclasses import dataclass

from pqbed.net.link_state import LinkState
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES

# A small datagram carries its train, its number and the time it was sent: 16 bytes, and 14 Ethernet, 20 IPv4, 8 UDP.
SMALL_PAYLOAD_BYTES = 16
UDP_IP_BYTES = 20 + 8
SMALL_FRAME_BYTES = ETHERNET_HEADER_BYTES + UDP_IP_BYTES + SMALL_PAYLOAD_BYTES
# Of the delays: the quantiles 0, 1, ... 100 %.
QUANTILES = 101


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbances:
    """Of `sent` single datagrams: those that came far too early, those that came twice, and those that did not come."""

    sent: int
    early: int
    twice: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionMeasurement:
    """One direction of a link.

    `sent` and `lost` count numbered datagrams, `reordered` those that came after a later one. `delays_ns` are the
    quantiles of the delays of `delay_count` datagrams sent one at a time; empty if none arrived.

    Of full-size datagrams sent back to back, `bulk_bytes` (frames) passed the bottleneck after the first, within
    `bulk_ns`; they were sent within `bulk_sent_ns`. `queue_packets` is how many packets netem took before it refused
    one, or took at all if `queue_full` is false; None if it cannot hold any. `seed_repeats`: the same seed gave
    the same losses and delays, and another seed gave others; None if nothing was drawn.
    `dropped`: the numbers, from 1, of those that did not arrive through the drop list alone; None without a list.
    `path_mtu_holds`: a packet of the path's MTU arrived, and one of a byte more did not; None where none is to be lost.
    `queue_drops_early`: a queue that was not full dropped some of twice its rate; None if it need not, or is too fast.
    `mistimed` and `mislaid`: the shares of single datagrams that came at another time than the trace says, and that
    were lost, or not, against it or the outage; None where nothing changes.
    `disturbances`: None where no packet is to be reordered, duplicated or corrupted.
    `path_mtu_told`: the MTU of the path that its sender learned from an ICMP message, bytes; None if none is to come.
    """

    sent: int
    lost: int
    reordered: int
    delays_ns: tuple[int, ...]
    delay_count: int
    bulk_bytes: int
    bulk_sent_ns: int
    bulk_ns: int
    queue_packets: int | None
    queue_full: bool
    seed_repeats: bool | None
    dropped: tuple[int, ...] | None = None
    path_mtu_holds: bool | None = None
    queue_drops_early: bool | None = None
    mistimed: float | None = None
    mislaid: float | None = None
    disturbances: Disturbances | None = None
    path_mtu_told: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderMeasurement:
    """One side as a sender. Values of the first flight are None if no connection was established.

    `initcwnd` is the congestion window before anything was written, `flight_segments` what then went out at once (less
    where the other side's window or pacing held it back, more where acknowledgements came meanwhile), and
    `flight_frame_bytes` the mean size of its frames as netem met them.
    """

    mtu: int
    initcwnd: int | None
    flight_segments: int | None
    flight_frame_bytes: int | None
    congestion_control: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMeasurement:
    """A link. `up` is what the client sends. A round trip is the delay up and the delay down, by number."""

    up: DirectionMeasurement
    down: DirectionMeasurement
    client: SenderMeasurement
    server: SenderMeasurement
    rtt_p50_ns: int | None
    rtt_p99_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The measurements, and the link as the kernel reported it then."""

    measured: LinkMeasurement
    state: LinkState
