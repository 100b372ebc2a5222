from dataclasses import replace
from typing import Any

import pytest

from pqbed.model.floor import (
    connect_floor_ns,
    flight_ns,
    handshake_floor_ns,
    most_segments,
    rtt_floor_ns,
    slow_start_rounds,
    ttlb_floor_ns,
)
from pqbed.model.frames import frame_ns, transmit_ns, wire_bytes
from pqbed.spec.cell import Cell
from pqbed.spec.link import GilbertElliott, Link, RandomLoss, mean_loss_ppm
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.units import MS


def cell(rtt_ns: int = 35 * MS, bandwidth_bps: int | None = None, initcwnd: int = 20, **link: Any) -> Cell:
    return Cell(
        link=Link(rtt_ns=rtt_ns, bandwidth_bps=bandwidth_bps, **link),
        tcp=Tcp(initcwnd_server=initcwnd),
        profile=Profile(name="pq", group="X25519MLKEM768", chain=Chain(algorithm="mldsa65")),
        workload=Workload(size_bytes=204_800),
    )


def segment_by_segment_ns(payload: int, window: int, rtt_ns: int, rate: int | None) -> int:
    """Send one segment after the other: number j may go when ceil((j - window + 1) / 2) are acknowledged."""
    done: list[int] = []
    count = -(-payload // 1448)
    for number in range(count):
        size = min(1448, payload - number * 1448)
        need = max(0, -(-(number - window + 1) // 2))
        ready = done[need - 1] + rtt_ns if need else 0
        done.append(max(ready, done[-1] if done else 0) + frame_ns(size + 66, rate))
    return done[-1]


@pytest.mark.parametrize(("payload", "wire"), [(0, 0), (1, 67), (1448, 1514), (1449, 1581), (204_800, 214_172)])
def test_wire_bytes(payload: int, wire: int) -> None:
    assert wire_bytes(payload) == wire


@pytest.mark.parametrize(
    ("segments", "window", "rounds"),
    [(0, 10, 1), (1, 10, 1), (10, 10, 1), (11, 10, 2), (30, 10, 2), (31, 10, 3), (142, 20, 4)],
)
def test_slow_start_rounds(segments: int, window: int, rounds: int) -> None:
    assert slow_start_rounds(segments, window) == rounds


def test_each_direction_has_its_own_rate() -> None:
    even, slow_up = cell(bandwidth_bps=1_000_000), cell(bandwidth_bps=1_000_000, bandwidth_up_bps=100_000)
    sent = 74 + 1_500 + 2 * 66  # a SYN and a ClientHello of two segments
    later_ns = handshake_floor_ns(slow_up, 8_000, 1_500) - handshake_floor_ns(even, 8_000, 1_500)
    assert later_ns == pytest.approx(sent * 8 * 9_000, abs=10)
    free_up = cell(bandwidth_bps=1_000_000, bandwidth_up_bps=0)
    earlier_ns = handshake_floor_ns(even, 8_000, 1_500) - handshake_floor_ns(free_up, 8_000, 1_500)
    assert earlier_ns == pytest.approx(sent * 8 * 1_000, abs=10)


def test_without_a_rate_only_round_trips_count() -> None:
    assert handshake_floor_ns(cell(), 8_000, 1_500) == 70 * MS
    assert ttlb_floor_ns(cell(), 8_000, 1_800, 250) == 105 * MS
    assert ttlb_floor_ns(cell(), 8_000, 1_800, 0) == 70 * MS


def test_a_hello_retry_request_is_one_round_trip_more() -> None:
    assert handshake_floor_ns(cell(), 8_000, 3_000, 99) == 105 * MS
    assert ttlb_floor_ns(cell(), 8_000, 3_300, 250, 99) == 140 * MS
    # It may have opened the window by its own segments, and no further.
    assert handshake_floor_ns(cell(initcwnd=10), 13 * 1448, 3_000, 99) == 105 * MS
    assert handshake_floor_ns(cell(initcwnd=10), 14 * 1448, 3_000, 99) == 140 * MS


def test_a_fetch_measured_in_a_guest_is_at_its_floor() -> None:
    """35 ms, no rate, 200 KiB, initcwnd 10 took 210.03 ms (design.md, section 3)."""
    assert ttlb_floor_ns(cell(initcwnd=10), 2_500, 700, 204_800 + 250) == 210 * MS


def test_at_a_low_rate_the_wire_bytes_count_and_no_round_waits() -> None:
    payload = 204_800
    assert flight_ns(cell(bandwidth_bps=1_000_000), payload, 20) == transmit_ns(payload, 1_000_000)
    assert transmit_ns(payload, 1_000_000) == 8 * wire_bytes(payload) * 1000


@pytest.mark.parametrize("rate", [1_000_000, 10_000_000, 100_000_000, 1_000_000_000, None])
@pytest.mark.parametrize("window", [1, 4, 10, 20])
@pytest.mark.parametrize("payload", [1, 1448, 14_480, 51_200, 204_800, 2_000_000])
@pytest.mark.parametrize("rtt_ns", [0, MS, 35 * MS, 200 * MS])
def test_rounds_agree_with_sending_segment_by_segment(rate: int | None, window: int, payload: int, rtt_ns: int) -> None:
    floor = flight_ns(cell(rtt_ns=rtt_ns, bandwidth_bps=rate), payload, window)
    exact = segment_by_segment_ns(payload, window, rtt_ns, rate)
    assert floor <= exact
    assert floor >= exact * 0.98 - 3 * frame_ns(1514, rate)


def test_jitter_lowers_the_floor() -> None:
    assert rtt_floor_ns(Link(rtt_ns=35 * MS, jitter_ns=MS)) == 33 * MS
    assert rtt_floor_ns(Link(rtt_ns=35 * MS, jitter_ns=MS, distribution="normal")) == 27 * MS
    assert rtt_floor_ns(Link(rtt_ns=MS, jitter_ns=MS, distribution="normal")) == 0


def test_mean_loss() -> None:
    assert mean_loss_ppm(RandomLoss(probability_ppm=30_000)) == 30_000
    burst = GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=90_000, loss_in_bad_ppm=500_000)
    assert mean_loss_ppm(burst) == 50_000
    assert mean_loss_ppm(GilbertElliott(enter_bad_ppm=0, leave_bad_ppm=0, loss_in_good_ppm=7)) == 7


def test_quic_takes_one_round_trip_less_and_no_window_of_tcp() -> None:
    over_tcp = cell(bandwidth_bps=None, rtt_ns=100 * MS)
    over_quic = replace(over_tcp, workload=replace(over_tcp.workload, http="3"))
    assert connect_floor_ns(over_tcp) == 100 * MS
    assert connect_floor_ns(over_quic) == 0
    assert handshake_floor_ns(over_quic, 1 << 20, 500) == 100 * MS
    assert ttlb_floor_ns(over_quic, 1 << 20, 600, 1 << 20) == 200 * MS
    assert ttlb_floor_ns(over_tcp, 3000, 600, 1 << 20) > 500 * MS


@pytest.mark.parametrize(("flight", "segments"), [(2_262, 4), (15_860, 13), (31_657, 25)])
def test_short_segments_of_a_flight_are_in_the_floor_s_window(flight: int, segments: int) -> None:
    """Seen: 2, 12 and 23."""
    assert most_segments(flight) == segments


@pytest.mark.parametrize(("rate", "waits"), [(80_000, True), (75_800, True), (75_600, False), (60_000, False)])
def test_where_a_segment_takes_longer_than_a_round_trip_a_probe_goes_beyond_the_window(rate: int, waits: bool) -> None:
    """At 75.7 kbit/s one of 1514 bytes takes 160 ms: below that, a second one may leave before it is acknowledged."""
    slow = cell(rtt_ns=160 * MS, bandwidth_bps=rate)
    two_ns = 2 * frame_ns(1514, rate)
    assert flight_ns(slow, 2 * 1448, 1) == pytest.approx(two_ns + 160 * MS * waits, abs=2)


def test_a_probe_goes_before_the_answer_only_where_a_segment_takes_longer_than_a_round_trip() -> None:
    """Then three segments go without a pause from a window of 1; where both take as long, the second waits for one."""
    rate = 1_000_000
    segment_ns = frame_ns(1514, rate)
    longer, same = (flight_ns(cell(rtt_ns, rate), 3 * 1448, 1) for rtt_ns in (segment_ns - 1, segment_ns))
    assert (longer, same) == (3 * segment_ns, 4 * segment_ns)
