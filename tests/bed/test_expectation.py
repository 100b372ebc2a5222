"""The expectation against a guest in virtual time, milestone by milestone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pqbed.model.exchange import exchange_of
from pqbed.model.floor import ttlb_floor_ns
from pqbed.model.simulate.connection import simulate_fetch
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from support.expectation_grid import EDGES, GRID

pytestmark = pytest.mark.uml

# A CPU that takes no time, and clocks read in microseconds: nothing else should be left.
TOLERANCE_PCT = 0.5

MILESTONES = {
    "connect_ns": "tcp_connect_ns",
    "tls_done_ns": "tls_done_ns",
    "first_byte_ns": "first_byte_ns",
    "last_byte_ns": "last_byte_ns",
}


@pytest.fixture(scope="module")
def seen(uml_guest_run: Callable[..., list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return uml_guest_run(Path(__file__).with_name("guest_expectation.py"))


def compare(seen: list[dict[str, Any]], cells: tuple[Cell, ...]) -> dict[str, float]:
    """Return by how many per cent each milestone was later than expected."""
    served = {one["profile"]["name"]: one for one in seen[0]["served"]}
    timings = {row["cell_id"]: row["timings"] for row in seen[1:]}
    found = {}
    for cell in cells:
        chain = served[cell.profile.name]
        exchange = exchange_of(cell, chain["certificate_wire_bytes"], chain["client_certificate_wire_bytes"])
        expected = simulate_fetch(cell, exchange)
        measured = timings[cell_id(cell)]
        response = sum(exchange.response)
        assert measured["outcome"] == "ok", (cell, measured)
        assert ttlb_floor_ns(cell, exchange.server_bytes, exchange.client_bytes, response) <= expected.last_byte_ns
        for ours, theirs in MILESTONES.items():
            off = 100 * (measured[theirs] / getattr(expected, ours) - 1)
            found[f"{named(cell)} {theirs}"] = off
    return found


def named(cell: Cell) -> str:
    rate = (cell.link.bandwidth_bps or 0) // 1_000_000
    window = cell.tcp.initcwnd_server
    kib = cell.workload.size_bytes // 1024
    return f"{cell.profile.name} {cell.link.rtt_ns // 1_000_000}ms {rate}mbit initcwnd {window} {kib}KiB"


def test_every_milestone_is_as_expected_to_half_a_per_cent(seen: list[dict[str, Any]]) -> None:
    off = compare(seen, GRID)
    assert {name: value for name, value in off.items() if abs(value) > TOLERANCE_PCT} == {}


def test_so_it_is_where_the_receiver_bounds_the_flight_and_with_mutual_authentication(
    seen: list[dict[str, Any]],
) -> None:
    off = compare(seen, EDGES)
    assert {name: value for name, value in off.items() if abs(value) > TOLERANCE_PCT} == {}
