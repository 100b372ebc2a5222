"""Segments of ClientHello and server flight in virtual time, at MTUs from 576 to 9000, and paths that lose them."""

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from pqbed.model.floor_and_expectation import unknowns
from pqbed.model.simulate.connection import ExpectedFetch, simulate_fetch
from pqbed.model.tls_exchange import exchange_of
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from pqbed.spec.link_sides import largest_sent
from support.mtu_cells import BOXED, CELLS, LONGER
from support.units import MS

pytestmark = pytest.mark.uml

# IPv4, TCP and its time stamps.
HEADERS_BYTES = 52
NEAR_NS = MS // 10
Case = dict[str, Any]


@pytest.fixture(scope="module")
def seen(uml_guest_run: Callable[..., list[Case]]) -> dict[str, Case]:
    return {row["case"]: row for row in uml_guest_run(Path(__file__).with_name("guest_mtus.py"))}


def turns(row: Case) -> list[list[int]]:
    """Return the payloads of the segments of each flight, the client's first."""
    return [[size for _, size in turn] for _, turn in groupby(row["payloads"], lambda one: one[0])]


def expectation(seen: dict[str, Case], cell: Cell) -> ExpectedFetch:
    (served,) = (one for one in seen["served"]["served"] if one["profile"]["name"] == cell.profile.name)
    return simulate_fetch(cell, exchange_of(cell, served["certificate_wire_bytes"]))


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.tcp.mtu}-{cell.profile.name}")
def test_hello_and_flight_have_the_segments_of_their_mtu(seen: dict[str, Case], cell: Cell) -> None:
    row = seen[cell_id(cell)]
    expected = expectation(seen, cell)
    hello, flight, *_ = turns(row)
    room = cell.tcp.mtu - HEADERS_BYTES
    assert row["timings"]["outcome"] == "ok"
    assert max(hello + flight) <= room
    assert len(hello) == -(-sum(hello) // room)
    assert len(flight) == expected.server_flight.segments
    assert abs(row["timings"]["last_byte_ns"] - expected.last_byte_ns) < NEAR_NS


def test_a_hybrid_hello_is_several_segments_below_1480_bytes(seen: dict[str, Case]) -> None:
    segments = {}
    for cell in CELLS:
        if cell.profile.name == "pq":
            segments[cell.tcp.mtu] = len(turns(seen[cell_id(cell)])[0])
    assert segments == {576: 3, 1000: 2, 1280: 2, 1400: 2, 1492: 1, 1500: 1, 3000: 1, 9000: 1}


def test_smaller_segments_take_what_is_expected_whether_ends_or_path_ask_for_them(seen: dict[str, Case]) -> None:
    off = {}
    for cell in LONGER:
        expected, row = expectation(seen, cell), seen[cell_id(cell)]["timings"]
        assert row["outcome"] == "ok"
        assert bool(unknowns(cell, expected)) == (largest_sent(cell.link, cell.tcp) != 1492)
        off[cell_id(cell)] = abs(row["last_byte_ns"] / expected.last_byte_ns - 1)
    assert {name: share for name, share in off.items() if share > 0.0005} == {}


def test_a_path_that_tells_its_mtu_costs_half_a_round_trip_for_each_flight_of_full_segments(
    seen: dict[str, Case],
) -> None:
    # The router that tells is next to the sender, and its message has the delay of the way to the sender.
    for name, flights in (("told classical", 1), ("told pq", 2)):
        for timings in seen[name]["timings"]:
            assert timings["outcome"] == "ok"
            assert abs(timings["last_byte_ns"] - (300 + 50 * flights) * MS) < NEAR_NS


def test_what_was_told_is_forgotten_before_the_next_fetch(seen: dict[str, Case]) -> None:
    first, again = (seen[name]["timings"][0]["last_byte_ns"] for name in ("slow", "slow again"))
    assert abs(first - again) < NEAR_NS
    told = [timings["last_byte_ns"] for timings in seen["told slow"]["timings"]]
    assert abs(told[0] - told[1]) < NEAR_NS
    assert min(told) > first + 100 * MS - NEAR_NS


def test_a_middlebox_loses_the_tail_of_a_hello_or_a_large_one(seen: dict[str, Case]) -> None:
    lost = {name for name in BOXED if {timings["outcome"] for timings in seen[name]["timings"]} == {"timeout"}}
    assert lost == {
        *(f"hello-tail pq 1280 {layout}" for layout in ("ends", "router")),
        *(f"hello-above:1422 pq {mtu} {layout}" for mtu in (1280, 1500) for layout in ("ends", "router")),
    }
    others = [timings for name in BOXED if name not in lost for timings in seen[name]["timings"]]
    assert {timings["outcome"] for timings in others} == {"ok"}
