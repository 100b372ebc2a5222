"""Every step of the expectation from both of its sides."""

from dataclasses import replace

import pytest

from pqbed.model.exchange import Exchange, buffered, exchange_of, sealed
from pqbed.model.floor import ttlb_floor_ns
from pqbed.model.frames import frame_ns
from pqbed.model.simulate.connection import simulate_fetch
from pqbed.spec.cell import Cell
from pqbed.spec.profile import Chain, Profile
from support.exchanges import MSS, RTT, cell_of, exchange
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


@pytest.mark.parametrize("size", [0, 20_480, 51_200, 204_800, 4_194_304])
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


def test_writes_counted_in_packets() -> None:
    """One fetch of 0 KiB seen in a guest: writes of 4096, 8351 and 3413 bytes, then 80, 275 and 294."""
    seen = exchange_of(cell_of(profile=PQ), certificate_bytes=11_172)
    assert seen.client_hello == (1428,)
    assert seen.server_flight == (4096, 8351, 3413)
    assert seen.client_flight == (80, 275)
    assert seen.response == (294,)


def test_a_client_that_proves_itself_counted_in_packets() -> None:
    """The same with mutual authentication: 75 bytes more from the server, and the client's own chain."""
    seen = exchange_of(cell_of(profile=replace(PQ, mutual=True)), 11_172, 11_172)
    assert seen.server_flight == (4096, 8426, 3413)
    assert seen.client_flight == (4096, 7104, 3413, 275)


def test_a_certificate_of_two_records_counted_in_packets() -> None:
    """At initcwnd 20 what waits for the window closes up: 23 segments, and only two short ones before the last."""
    expected = simulate_fetch(cell_of(20), exchange_of(cell_of(profile=PQ_RSA), 30_000))
    assert (expected.server_flight.payload_bytes, expected.server_flight.segments) == (31_657, 23)


def test_flights_are_written_in_full_buffers() -> None:
    assert buffered([100, 200]) == (300,)
    assert buffered([4096]) == (4096,)
    assert buffered([100, 3996]) == (4096,)
    assert buffered([100, 3997]) == (4096, 1)
    assert buffered([100, 9000, 50]) == (4096, 5004, 50)
    assert sealed(16_384) == [16_406]
    assert sealed(16_385) == [16_406, 23]
    assert sealed(0) == []


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
