"""Every step of the expectation from both of its sides."""

from dataclasses import replace
from typing import Any

import pytest

from pqbed.model.floor import ttlb_floor_ns
from pqbed.model.frames import frame_ns
from pqbed.model.simulate.connection import _Connection, _make_pipe, list_packets, simulate_fetch
from pqbed.model.tls_exchange import Exchange, exchange_of
from pqbed.spec.cell import Cell
from pqbed.spec.link import Layout
from pqbed.spec.profile import Chain, Profile
from support.exchanges import MSS, RTT, cell_of, exchange
from support.expectation_grid import LAYOUTS
from support.profiles import CLASSICAL, PQ
from support.units import MS

PQ_RSA = Profile(name="large", group="X25519MLKEM768", chain=Chain(algorithm="rsa2048", wire_bytes=30_000))


def rtts(cell: Cell, flights: Exchange) -> int:
    """The round trips of a fetch on a link without a rate limit."""
    whole, rest = divmod(simulate_fetch(cell, flights).last_byte_ns, cell.link.rtt_ns)
    assert rest == 0
    return whole


@pytest.mark.parametrize("initcwnd", [10, 20])
@pytest.mark.parametrize("below", [True, False])
def test_a_server_flight_above_initcwnd_costs_a_round_trip(initcwnd: int, below: bool) -> None:
    flights = exchange(server=initcwnd * MSS + (0 if below else 1))
    expected = simulate_fetch(cell_of(initcwnd), flights)
    assert expected.server_flight.segments == initcwnd + (0 if below else 1)
    assert expected.server_flight.rounds == (1 if below else 2)
    assert expected.connect_ns == RTT
    assert expected.tls_done_ns == (2 if below else 3) * RTT
    assert expected.last_byte_ns == expected.tls_done_ns + RTT


@pytest.mark.parametrize(("initcwnd", "segments", "trips"), [(10, 30, 3), (10, 31, 4), (20, 60, 3), (20, 61, 4)])
def test_the_window_doubles_for_a_large_flight(initcwnd: int, segments: int, trips: int) -> None:
    # initcwnd, then twice as much: 30 and 60 segments in two windows.
    assert simulate_fetch(cell_of(initcwnd), exchange(server=segments * MSS)).tls_done_ns == trips * RTT


@pytest.mark.parametrize(
    ("initcwnd", "segments", "trips"),
    [(10, 10, 3), (10, 11, 4), (10, 30, 4), (10, 31, 5), (20, 20, 3), (20, 21, 4), (20, 60, 4), (20, 61, 5)],
)
def test_responses_around_the_window(initcwnd: int, segments: int, trips: int) -> None:
    assert rtts(cell_of(initcwnd), exchange(response=segments * MSS)) == trips


@pytest.mark.parametrize(
    ("initcwnd", "flight", "window"), [(10, 5, 10), (10, 6, 12), (10, 10, 20), (20, 10, 20), (20, 11, 22), (20, 20, 40)]
)
def test_a_handshake_opens_the_window_once_it_uses_more_than_half_of_it(
    initcwnd: int, flight: int, window: int
) -> None:
    expected = simulate_fetch(cell_of(initcwnd), exchange(server=flight * MSS))
    # It grows while it is less than twice what was under way.
    assert expected.response.window == window


@pytest.mark.parametrize(("flight", "trips"), [(5, 4), (6, 3)])
def test_a_larger_handshake_can_save_a_round_trip_of_the_response(flight: int, trips: int) -> None:
    assert rtts(cell_of(10), exchange(server=flight * MSS, response=12 * MSS)) == trips


def test_a_client_hello_above_the_client_s_window_costs_a_round_trip() -> None:
    assert rtts(cell_of(1), exchange(server=MSS, hello=MSS)) == 3
    assert rtts(cell_of(1), exchange(server=MSS, hello=MSS + 1)) == 4


@pytest.mark.parametrize(("segments", "bound"), [(44, False), (45, True)])
def test_the_receive_window_bounds_a_flight(segments: int, bound: bool) -> None:
    """64,240 bytes are 44 segments."""
    expected = simulate_fetch(cell_of(100), exchange(server=segments * MSS))
    assert expected.server_flight.receiver_bound is bound
    assert expected.tls_done_ns == (3 if bound else 2) * RTT


@pytest.mark.parametrize(("segments", "trips"), [(4, 2), (5, 3)])
def test_so_does_one_that_is_set(segments: int, trips: int) -> None:
    cell = cell_of(20, initrwnd=4)
    assert simulate_fetch(cell, exchange(server=segments * MSS)).tls_done_ns == trips * RTT


def test_at_a_low_rate_bytes_count_and_windows_do_not() -> None:
    rate = 1_000_000
    less, more = (simulate_fetch(cell_of(20, rate), exchange(server=n * MSS)) for n in (2, 14))
    assert more.last_byte_ns - less.last_byte_ns == 12 * frame_ns(1514, rate)
    assert more.server_flight.waited_ns == less.server_flight.waited_ns


def test_every_nanosecond_is_in_the_account() -> None:
    for rate in (1_000_000, 100_000_000, None):
        expected = simulate_fetch(cell_of(10, rate), exchange(server=12 * MSS, response=200_000))
        flights = (expected.hello, expected.server_flight, expected.client_flight, expected.response)
        parts = sum(flight.serial_ns + flight.waited_ns for flight in flights)
        assert expected.last_byte_ns == expected.connect_ns + 2 * RTT + parts


def test_the_first_byte_comes_with_the_first_whole_record() -> None:
    flights = replace(exchange(), response=(16_406, 10 * MSS))
    expected = simulate_fetch(cell_of(10), flights)
    # 16,406 bytes are 12 segments: two more than the first window.
    assert expected.first_byte_ns == 4 * RTT


@pytest.mark.parametrize("size", [0, 20_480, 51_200, 204_800, 1_048_576])
@pytest.mark.parametrize("rate", [1_000_000, 100_000_000, 1_000_000_000, None])
@pytest.mark.parametrize("initcwnd", [1, 10, 20, 100])
@pytest.mark.parametrize("profile", [CLASSICAL, PQ], ids=lambda profile: profile.name)
def test_nothing_is_expected_below_the_floor(size: int, rate: int | None, initcwnd: int, profile: Profile) -> None:
    cell = cell_of(initcwnd, rate, profile, size, rtt_ns=35 * MS)
    sizes = exchange_of(cell)
    floor = ttlb_floor_ns(cell, sizes.server_bytes, sizes.client_bytes, sum(sizes.response))
    assert simulate_fetch(cell, sizes).last_byte_ns >= floor


def test_a_link_without_delay_is_no_special_case() -> None:
    assert simulate_fetch(cell_of(10, rtt_ns=0), exchange(response=100_000)).last_byte_ns < 41 * MS


def test_a_certificate_of_two_records_counted_in_packets() -> None:
    """At initcwnd 20 what waits for the window closes up: 23 segments, and only two short ones before the last."""
    expected = simulate_fetch(cell_of(20), exchange_of(cell_of(profile=PQ_RSA), 30_000))
    assert (expected.server_flight.payload_bytes, expected.server_flight.segments) == (31_657, 23)


# Certificate messages as a guest served them.
SERVED_BYTES = {"classical": 1_714, "pq": 11_172}


def cell_seen(
    profile: Profile,
    rate: int,
    layout: Layout = "ends",
    size: int = 0,
    *,
    rtt_ms: int = 35,
    initcwnd: int = 10,
    **link: Any,
) -> Cell:
    cell = cell_of(initcwnd, rate, profile, size, rtt_ns=rtt_ms * MS)
    return replace(cell, link=replace(cell.link, layout=layout, **link))


@pytest.mark.parametrize(
    ("cell", "seen_ms", "repeated"),
    [
        (cell_seen(CLASSICAL, 9_600), 4_234.2, (1, 1)),
        (cell_seen(CLASSICAL, 9_600, "router"), 4_966.7, (2, 3)),
        (cell_seen(PQ, 9_600), 16_275.8, (0, 0)),
        (cell_seen(PQ, 9_600, "router"), 18_929.2, (2, 2)),
        (cell_seen(PQ, 9_600, "router", 20_480), 36_848.3, (2, 2)),
        (cell_seen(CLASSICAL, 48_000), 766.7, (0, 0)),
        (cell_seen(CLASSICAL, 48_000, "router"), 797.0, (1, 1)),
        (cell_seen(PQ, 48_000, "router", 20_480), 7_071.5, (2, 1)),
        (cell_seen(PQ, 96_000, "router", 20_480), 3_558.8, (1, 1)),
    ],
)
def test_timers_fire_on_slow_links_as_seen_in_a_guest(cell: Cell, seen_ms: float, repeated: tuple[int, ...]) -> None:
    expected = simulate_fetch(cell, exchange_of(cell, SERVED_BYTES[cell.profile.name]))
    assert expected.last_byte_ns == pytest.approx(seen_ms * MS, rel=1e-4)
    assert (expected.client_repeated, expected.server_repeated) == repeated
    assert expected.syns_repeated == 0


@pytest.mark.parametrize(
    ("rtt_ms", "rate", "initcwnd", "seen_ms"),
    [(200, 10**9, 20, 2_413.8), (100, 10**9, 10, 1_313.7), (35, 10**9, 10, 468.7), (200, 10**8, 10, 2_737.1)],
)
def test_eight_mib_over_a_long_fat_link_as_seen_in_a_guest(
    rtt_ms: int, rate: int, initcwnd: int, seen_ms: float
) -> None:
    """The send buffer's 4 MiB of memory hold 1,741 segments: fewer than the receiver had room for."""
    cell = cell_seen(CLASSICAL, rate, size=8 << 20, rtt_ms=rtt_ms, initcwnd=initcwnd)
    expected = simulate_fetch(cell, exchange_of(cell, 1_714))
    assert expected.last_byte_ns == pytest.approx(seen_ms * MS, rel=2e-4)


def test_a_slow_uplink_as_seen_in_a_guest() -> None:
    cell = cell_seen(PQ, 10_000_000, size=204_800, bandwidth_up_bps=1_000_000)
    expected = simulate_fetch(cell, exchange_of(cell, 11_172))
    assert expected.last_byte_ns == pytest.approx(345.1 * MS, rel=1e-3)


def test_a_window_of_three_as_seen_in_a_guest() -> None:
    """How much OpenSSL reads at once at the start of a record decides when the receive buffer grows."""
    cell = cell_seen(PQ, 10_000_000, size=204_800, rtt_ms=200, initcwnd=3)
    expected = simulate_fetch(cell, exchange_of(cell, 11_172))
    assert expected.last_byte_ns == pytest.approx(1_667.2 * MS, rel=1e-3)


@pytest.mark.parametrize(("layout", "repeated"), [("ends", 3), ("router", 5)])
def test_a_syn_is_repeated_after_a_second_unless_it_is_still_in_its_own_host(layout: Layout, repeated: int) -> None:
    """One way takes 1.3 s: at the ends the client's SYN is still in its queue after one, behind a router it is not."""
    cell = cell_seen(CLASSICAL, 1_000_000, layout, rtt_ms=2_600)
    expected = simulate_fetch(cell, exchange_of(cell, 1_714))
    assert expected.last_byte_ns == pytest.approx(7_831.8 * MS, rel=1e-4)
    assert expected.syns_repeated == repeated


@pytest.mark.parametrize(("queue", "overflows"), [(20, False), (19, True)])
def test_a_queue_that_is_too_short_for_a_flight_is_told(queue: int, overflows: bool) -> None:
    cell = cell_of(20, rate=1_000_000)
    routed = replace(cell, link=replace(cell.link, layout="router", queue_packets=queue))
    # The acknowledgement of the ClientHello leaves, and twenty segments wait behind it.
    flights = exchange(server=20 * MSS)
    assert simulate_fetch(routed, flights).overflowed == overflows
    assert simulate_fetch(routed, flights).last_byte_ns == simulate_fetch(cell, flights).last_byte_ns


def test_at_the_ends_the_delay_line_is_room_too() -> None:
    cell = cell_of(20, rate=1_000_000)
    # 50 ms at 1 Mbit/s are 5 frames: with 16 that may wait there is room for the same 21.
    enough, short = (replace(cell, link=replace(cell.link, queue_packets=queue)) for queue in (16, 15))
    assert not simulate_fetch(enough, exchange(server=20 * MSS)).overflowed
    assert simulate_fetch(short, exchange(server=20 * MSS)).overflowed


def test_every_syn_is_answered_and_the_client_acknowledges_every_answer() -> None:
    """One way takes 1.3 s: the server answers at 1.30, 2.36 and 3.38 s, and its own timer once more at 2.34 s."""
    cell = cell_seen(CLASSICAL, 1_000_000, "router", rtt_ms=2_600)
    packets = list_packets(cell, exchange_of(cell, 1_714))
    assert packets["client"].count("SYN") == 3
    assert packets["server"].count("SYN-ACK") == 4
    # The first is acknowledged before the ClientHello; the others, and two segments of the flight, after it.
    hello, finished = (packets["client"].index(name) for name in ("ClientHello", "Finished"))
    assert packets["client"][3:hello] == ("acknowledgement",)
    assert packets["client"][hello + 1 : finished] == ("acknowledgement",) * (3 + 2)


def test_the_delay_line_is_part_of_the_queue_at_the_ends_alone() -> None:
    cell = cell_of(20, rate=1_000_000)
    held = {layout: _make_pipe(replace(cell.link, layout=layout), cell.tcp, "server").held_ns for layout in LAYOUTS}
    assert held == {"ends": RTT // 2, "router": 0}


def test_the_server_measures_its_first_round_trip_from_the_syn_ack() -> None:
    cell = cell_of()
    connection = _Connection(cell.link, cell.tcp, exchange())
    connection._take_syn(RTT // 2)
    connection._accept(RTT // 2 + RTT, 0)
    rtt = connection._ends["server"].sender.rtt
    assert (rtt.srtt_us, rtt.shortest, rtt._round_end) == (RTT // 1000, RTT // 1000, 0)
