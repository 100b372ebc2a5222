"""The breakdown of a difference, in words: bytes, round trips, windows, spurious retransmissions."""

from dataclasses import replace

import pytest

from pqbed.model.difference_breakdown import (
    Breakdown,
    _rate,
    _waiting,
    break_down_difference,
    describe_repeats,
    milliseconds,
)
from pqbed.model.simulate.connection import simulate_fetch
from pqbed.model.tls_exchange import Exchange
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from support.exchanges import MSS, cell_of, exchange


def breakdown(cell: Cell, arm: Exchange, base: Exchange) -> Breakdown:
    return break_down_difference(cell, simulate_fetch(cell, arm), simulate_fetch(cell, base))


def test_bytes_at_a_rate() -> None:
    found = breakdown(cell_of(20, 1_000_000), exchange(server=14 * MSS), exchange(server=3 * MSS))
    assert found.text == "+133 ms: 16.7 KB more at 1 Mbit/s; no extra round trip: server flight 14 of 20 segments"


@pytest.mark.parametrize("initcwnd", [10, 20])
def test_a_flight_above_initcwnd(initcwnd: int) -> None:
    base = exchange(server=2 * MSS)
    within = breakdown(cell_of(initcwnd), exchange(server=initcwnd * MSS), base)
    assert within.reasons[1] == f"no extra round trip: server flight {initcwnd} of {initcwnd} segments"
    assert within.difference_ns == 0
    above = breakdown(cell_of(initcwnd), exchange(server=(initcwnd + 1) * MSS), base)
    assert above.reasons[1] == f"+1 RTT: server flight {initcwnd + 1} segments > initcwnd {initcwnd}"
    assert above.text.startswith("+100 ms: ")


def test_a_hello_retry_request() -> None:
    base = exchange()
    found = breakdown(cell_of(10), replace(base, retry=(99,), second_hello=(1434,)), base)
    assert found.reasons[1:] == ("+1 RTT: HelloRetryRequest",)
    assert (found.difference_ns, found.retried_ns, found.waited_ns) == (100_000_000, 100_000_000, 0)
    saved = breakdown(cell_of(10), base, replace(base, retry=(99,), second_hello=(1434,)))
    assert saved.reasons[1:] == ("-1 RTT: HelloRetryRequest",)


def test_a_round_trip_saved_by_a_larger_handshake() -> None:
    found = breakdown(
        cell_of(20), exchange(server=17 * MSS, response=30 * MSS), exchange(server=2 * MSS, response=30 * MSS)
    )
    assert "-1 RTT: the larger handshake had opened the window to 34 segments (baseline: 20)" in found.reasons
    assert found.text.startswith("-100 ms: ")


def test_a_round_trip_paid_in_the_handshake_and_saved_in_the_response() -> None:
    found = breakdown(
        cell_of(10), exchange(server=12 * MSS, response=20 * MSS), exchange(server=2 * MSS, response=20 * MSS)
    )
    assert [reason[:6] for reason in found.reasons[1:]] == ["+1 RTT", "-1 RTT"]
    assert found.difference_ns == 0


def test_the_receive_window() -> None:
    found = breakdown(cell_of(100), exchange(server=45 * MSS), exchange(server=2 * MSS))
    assert found.reasons[1] == "+1 RTT: server flight 45 segments, more than the receive window holds"


def test_a_wait_that_overlaps_with_sending_is_told_in_ms() -> None:
    found = breakdown(cell_of(10, 10_000_000), exchange(server=40 * MSS), exchange(server=2 * MSS))
    assert "ms of waiting: server flight 40 segments > initcwnd 10" in found.reasons[1]


def test_each_direction_with_its_own_rate() -> None:
    cell = cell_of(20, 1_000_000)
    cell = replace(cell, link=Link(rtt_ns=cell.link.rtt_ns, bandwidth_bps=1_000_000, bandwidth_up_bps=0))
    found = breakdown(cell, exchange(server=3 * MSS, hello=1400), exchange(server=2 * MSS))
    assert found.reasons[:2] == ("1.5 KB more down at 1 Mbit/s", "1.1 KB more up without a rate limit")


@pytest.mark.parametrize("rate", [1_000_000, 2_500_000, 100_000_000, None])
def test_the_parts_add_up(rate: int | None) -> None:
    found = breakdown(cell_of(10, rate), exchange(server=25 * MSS, response=300_000), exchange(response=300_000))
    assert found.difference_ns == found.serial_ns + found.waited_ns


def test_spurious_retransmissions_are_named() -> None:
    cell = cell_of(10)
    slow, far = Link(rtt_ns=35_000_000, bandwidth_bps=48_000, layout="router"), Link(rtt_ns=2_600_000_000)
    slow_cell, far_cell = replace(cell, link=slow), replace(cell, link=far)
    arm, base = exchange(server=10 * MSS), exchange(server=100)
    assert describe_repeats(simulate_fetch(slow_cell, base)) == ""
    repeats = describe_repeats(simulate_fetch(slow_cell, arm))
    assert repeats
    reasons = breakdown(slow_cell, arm, base).reasons
    assert f"spurious retransmissions: {repeats} (baseline: none)" in reasons
    assert any(reason.endswith("response behind spurious retransmissions") for reason in reasons)
    assert describe_repeats(simulate_fetch(far_cell, base)) == "3 SYN or SYN-ACK segments"


@pytest.mark.parametrize(
    ("value_ns", "text"),
    [
        (0, "+0.0 ms"),
        (-1, "+0.0 ms"),
        (-40_000, "+0.0 ms"),
        (-60_000, "-0.1 ms"),
        (340_000, "+0.3 ms"),
        (9_940_000, "+9.9 ms"),
        (10_000_000, "+10 ms"),
        (-10_000_000, "-10 ms"),
        (134_400_000, "+134 ms"),
    ],
)
def test_a_difference_has_a_digit_below_ten_milliseconds_and_no_negative_zero(value_ns: int, text: str) -> None:
    assert milliseconds(value_ns) == text


def waits(more_ns: int, rtt_ns: int = 100_000_000) -> list[str]:
    flight = simulate_fetch(cell_of(10), exchange()).response
    cell = cell_of(10)
    cell = replace(cell, link=replace(cell.link, rtt_ns=rtt_ns))
    return _waiting(cell, replace(flight, waited_ns=flight.waited_ns + more_ns), flight, "it")


@pytest.mark.parametrize(
    ("more_ns", "text"),
    [
        (2_000_000, []),
        (2_000_001, ["+2.0 ms of waiting: it"]),
        (-2_000_001, ["-2.0 ms of waiting: it"]),
        (91_999_999, ["+92 ms of waiting: it"]),
        (92_100_000, ["+1 RTT: it"]),
        (107_900_000, ["+1 RTT: it"]),
        (108_100_000, ["+108 ms of waiting: it"]),
        (-200_000_000, ["-2 RTT: it"]),
        (7_000_000, ["+7.0 ms of waiting: it"]),
    ],
)
def test_waiting_is_in_round_trips_where_it_is_nearly_whole_ones(more_ns: int, text: list[str]) -> None:
    assert waits(more_ns) == text


def test_waiting_of_less_than_a_tenth_of_a_millisecond_is_none_whatever_the_round_trip() -> None:
    assert waits(100_000, rtt_ns=0) == waits(100_000, rtt_ns=1_000_000) == []
    assert waits(100_001, rtt_ns=1_000_000) == ["+0.1 ms of waiting: it"]
    assert waits(100_001, rtt_ns=0) == ["+0.1 ms of waiting: it"]


@pytest.mark.parametrize(
    ("rate_bps", "text"),
    [(999, "999 bit/s"), (1_000, "1 kbit/s"), (9_600, "9.6 kbit/s"), (10**6, "1 Mbit/s"), (25 * 10**8, "2.5 Gbit/s")],
)
def test_a_rate_is_in_its_largest_unit(rate_bps: int, text: str) -> None:
    assert _rate(rate_bps) == text
