"""Floor and expectation of a cell: when they hold, and of which cells nothing is said."""

from dataclasses import replace
from typing import Any

import pytest

from pqbed.model.floor import ttlb_floor_ns
from pqbed.model.floor_and_expectation import MOST_SIZE_BYTES, Bounds, bounds_of, floors_of, unknowns
from pqbed.model.tls_exchange import exchange_of
from pqbed.spec.cell import Cell
from pqbed.spec.cross_traffic import CrossTraffic, Flows
from pqbed.spec.link import RandomLoss
from pqbed.spec.link_timeline import Outage
from pqbed.spec.path_mtu import PathMtu
from pqbed.spec.profile import Chain
from pqbed.spec.workload import HTTP_VERSIONS
from support.exchanges import cell_of
from support.profiles import CLASSICAL

LOSS = RandomLoss(probability_ppm=10_000)
CELL = cell_of(10, 1_000_000, size=20_480)


def bounds(cell: Cell) -> Bounds | None:
    return bounds_of(cell, 1_715, None)


def unknowns_of(cell: Cell, client_bytes: int | None = None) -> tuple[str, ...]:
    known = bounds_of(cell, 1_715, client_bytes)
    assert known is not None
    assert known.lossless is not None
    return unknowns(cell, known.lossless)


def with_link(**link: Any) -> Cell:
    return replace(CELL, link=replace(CELL.link, **link))


def test_without_loss_a_fetch_is_expected_above_its_floors() -> None:
    found = bounds(CELL)
    assert found.holds
    assert found.floors.connect_ns == found.lossless.connect_ns
    assert found.floors.tls_done_ns < found.lossless.tls_done_ns
    assert found.floors.last_byte_ns < found.lossless.last_byte_ns


@pytest.mark.parametrize(
    "cell",
    [
        with_link(loss=LOSS),
        with_link(loss_up=LOSS),
        with_link(jitter_ns=1),
        with_link(segmentation="host"),
        replace(with_link(bandwidth_bps=None), tcp=replace(CELL.tcp, initcwnd_server=9)),
        replace(with_link(bandwidth_bps=1_000_000_001), tcp=replace(CELL.tcp, initcwnd_server=9)),
        with_link(queue_packets=1),
        replace(CELL, tcp=replace(CELL.tcp, congestion_control_client="bbr")),
        replace(CELL, tcp=replace(CELL.tcp, mtu=1400)),
        with_link(path_mtu=PathMtu(size_bytes=1400, handling="clamped")),
        with_link(outage=Outage(at_ns=0, for_ns=1)),
        with_link(cross_traffic=CrossTraffic(flows=(Flows(way="up"),))),
        with_link(layout="router", queue_discipline="cake"),
        replace(CELL, profile=replace(CLASSICAL, stack="other")),
        replace(CELL, profile=replace(CLASSICAL, client_stack="other")),
    ],
)
def test_elsewhere_a_lossless_fetch_can_be_told_but_nothing_is_expected(cell: Cell) -> None:
    found = bounds(cell)
    assert found.lossless is not None
    assert not found.holds


@pytest.mark.parametrize("up_bps", [None, 0, 100_000, 1_000_000])
@pytest.mark.parametrize("initcwnd", [1, 9, 10])
def test_every_uplink_and_window_is_known(up_bps: int | None, initcwnd: int) -> None:
    cell = with_link(bandwidth_up_bps=up_bps)
    assert bounds(replace(cell, tcp=replace(cell.tcp, initcwnd_server=initcwnd, initcwnd_client=initcwnd))).holds


def test_without_a_rate_down_what_fits_into_a_window_is_known() -> None:
    free = replace(with_link(bandwidth_bps=None), tcp=replace(CELL.tcp, initcwnd_server=20))
    assert bounds(free).holds
    many = replace(free, workload=replace(free.workload, size_bytes=100_000))
    (unknown,) = unknowns_of(many)
    assert unknown == "how fast the client reads on a downlink without a rate limit"
    # A flight of more segments than are acknowledged one by one.
    large = replace(free, profile=replace(CLASSICAL, chain=Chain(algorithm="mldsa87")))
    assert not bounds_of(large, 30_000, None).holds


def test_a_chain_of_the_client_on_an_uplink_without_a_limit_is_not() -> None:
    mutual = replace(with_link(bandwidth_up_bps=0), profile=replace(CLASSICAL, mutual=True))
    (unknown,) = unknowns_of(mutual, 11_172)
    assert unknown == "how fast the server reads on an uplink without a rate limit"


def test_a_queue_that_overflows_is_seen_in_the_packets() -> None:
    for most, overflows in ((1000, False), (10, True)):
        cell = with_link(limit_packets=most)
        assert ("a queue that overflows" in unknowns_of(cell)) is overflows


def test_very_long_responses_have_a_floor_alone() -> None:
    found = bounds(cell_of(10, size=MOST_SIZE_BYTES + 1))
    assert (found.lossless, found.holds) == (None, False)
    assert found.floors.last_byte_ns > 0


def test_nothing_is_said_where_a_chain_is_not_known() -> None:
    assert bounds_of(CELL, None, None) is None
    assert bounds_of(replace(CELL, profile=replace(CLASSICAL, mutual=True)), 1_715, None) is None


def test_other_versions_of_http_have_floors_alone() -> None:
    over_tcp, http2, http3 = (
        bounds(replace(CELL, workload=replace(CELL.workload, http=http))) for http in HTTP_VERSIONS
    )
    assert (http2.lossless, http2.holds, http3.lossless, http3.holds) == (None, False, None, False)
    assert 0 < http2.floors.last_byte_ns <= over_tcp.floors.last_byte_ns
    assert 0 < http3.floors.last_byte_ns <= http2.floors.last_byte_ns - CELL.link.rtt_ns
    assert http3.floors.connect_ns == 0


def test_another_stack_has_a_lower_floor() -> None:
    other = bounds(replace(CELL, profile=replace(CLASSICAL, stack="other")))
    assert other.floors.last_byte_ns < bounds(CELL).floors.last_byte_ns


def test_an_unknown_congestion_control_may_have_any_window() -> None:
    fast = replace(cell_of(1, size=200_000), profile=CLASSICAL)
    other = replace(fast, tcp=replace(fast.tcp, congestion_control="hybla"))
    assert bounds(other).floors.last_byte_ns == 3 * fast.link.rtt_ns
    assert bounds(fast).floors.last_byte_ns == 8 * fast.link.rtt_ns


def test_a_clamped_mss_is_that_of_a_smaller_mtu() -> None:
    clamped = bounds(with_link(path_mtu=PathMtu(size_bytes=1492, handling="clamped")))
    smaller = bounds(replace(CELL, tcp=replace(CELL.tcp, mtu=1492)))
    assert clamped.holds
    assert clamped.lossless == smaller.lossless != bounds(CELL).lossless


def test_a_client_may_send_less_than_is_computed_but_no_floor_rests_on_more() -> None:
    cell = with_link(bandwidth_up_bps=64_000)
    flights = exchange_of(cell, 1_715)
    exact = ttlb_floor_ns(cell, flights.server_bytes, flights.client_bytes, sum(flights.response))
    assert floors_of(cell, flights).last_byte_ns < exact
