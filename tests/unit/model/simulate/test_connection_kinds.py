"""Kinds of connections in the model: round trips, tickets, and what a kept connection keeps."""

from dataclasses import replace

import pytest

from pqbed.model.frames import frame_ns
from pqbed.model.simulate.connection import simulate_fetch
from pqbed.model.tls_exchange import Exchange
from pqbed.units import NS_PER_S
from support.exchanges import MSS, RTT, cell_of, exchange


@pytest.mark.parametrize(("segments", "trips"), [(8, 2), (9, 3)])
def test_a_response_to_early_data_shares_the_window_of_the_server_s_flight(segments: int, trips: int) -> None:
    flights = replace(exchange(response=segments * MSS), client_hello=(550,), client_flight=(80,), early_bytes=300)
    expected = simulate_fetch(cell_of(10), flights)
    assert expected.tls_done_ns == 2 * RTT
    assert expected.last_byte_ns == trips * RTT


@pytest.mark.parametrize(("segments", "trips"), [(10, 1), (20, 1), (30, 1)])
def test_the_second_request_of_a_connection_has_the_window_that_the_first_opened(segments: int, trips: int) -> None:
    expected = simulate_fetch(cell_of(10), replace(exchange(response=segments * MSS), requests=2))
    assert (expected.connect_ns, expected.tls_done_ns) == (0, 0)
    assert expected.hello.segments == expected.server_flight.segments == 0
    assert expected.last_byte_ns == trips * RTT


@pytest.mark.parametrize(("idle_ns", "trips"), [(0, 1), (NS_PER_S // 10, 1), (5 * NS_PER_S, 2)])
def test_after_an_idle_time_it_starts_again_from_the_first_window(idle_ns: int, trips: int) -> None:
    flights = replace(exchange(response=20 * MSS), requests=2, idle_ns=idle_ns)
    assert simulate_fetch(cell_of(10), flights).last_byte_ns == trips * RTT


@pytest.mark.parametrize(("server", "response"), [(2, 1), (10, 20), (11, 1), (25, 100)])
def test_a_hello_retry_request_takes_one_round_trip(server: int, response: int) -> None:
    plain = exchange(server=server * MSS, response=response * MSS)
    without, retried = (simulate_fetch(cell_of(10), one) for one in (plain, asked_again(plain)))
    assert (without.hello_retry_ns, retried.hello_retry_ns) == (None, 2 * RTT)
    assert (retried.connect_ns, retried.tls_done_ns) == (RTT, without.tls_done_ns + RTT)
    assert retried.last_byte_ns == without.last_byte_ns + RTT
    assert (retried.retry.segments, retried.second_hello.segments) == (1, 1)
    assert without.retry.segments == without.second_hello.segments == 0


def test_its_bytes_take_their_time_in_both_directions() -> None:
    rate = 1_000_000
    plain = exchange()
    longer_ns = simulate_fetch(cell_of(10, rate), asked_again(plain)).last_byte_ns
    longer_ns -= simulate_fetch(cell_of(10, rate), plain).last_byte_ns
    # The second hello goes behind the acknowledgement of what asked for it, the server's flight with that of the hello.
    assert longer_ns == RTT + frame_ns(99 + 66, rate) + frame_ns(1434 + 66, rate) + frame_ns(66, rate)


def test_of_a_kept_connection_it_was_before() -> None:
    again = replace(asked_again(exchange(response=20 * MSS)), requests=2)
    expected = simulate_fetch(cell_of(10), again)
    assert (expected.last_byte_ns, expected.hello_retry_ns, expected.retry.segments) == (RTT, None, 0)


def asked_again(plain: Exchange) -> Exchange:
    return replace(plain, retry=(99,), second_hello=(1434,))


def test_tickets_go_ahead_of_the_response_while_the_request_is_on_its_way() -> None:
    rate = 1_000_000
    without = exchange(response=300)
    given = simulate_fetch(cell_of(10, rate), replace(without, tickets=(280,)))
    plain = simulate_fetch(cell_of(10, rate), without)
    # The request, one segment behind Finished, takes nearly as long as the ticket that goes the other way, and that
    # one carries the acknowledgement of Finished, which otherwise is a frame of its own before the response.
    longer_ns = frame_ns(280 + 66, rate) - frame_ns(275 + 66, rate)
    assert given.last_byte_ns - plain.last_byte_ns == longer_ns - frame_ns(66, rate)
    assert given.response.segments == plain.response.segments == 1


def test_a_ticket_goes_between_the_records_of_a_response_to_early_data() -> None:
    rate = 1_000_000
    response = (16_406, 16_406, 16_406)
    early = replace(exchange(), client_hello=(550,), client_flight=(80,), early_bytes=300, response=response)
    more = simulate_fetch(cell_of(10, rate), replace(early, tickets=(1000,))).last_byte_ns
    assert 0 < more - simulate_fetch(cell_of(10, rate), early).last_byte_ns <= frame_ns(1000 + 66, rate)
