"""The layout `router` in virtual time: where packets are shaped, what a full queue does, that nothing else differs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pqbed.model.floor_and_expectation import unknowns
from pqbed.model.simulate.connection import simulate_fetch
from pqbed.model.tls_exchange import exchange_of
from pqbed.plan import cell_id
from pqbed.spec.link_end_shape import STAGES
from support.router_cells import GRID, LAYOUTS, SPECIAL
from support.units import MS

pytestmark = pytest.mark.uml

TOLERANCE_PCT = 0.5
FRAME_BYTES = 1514
# How often libcurl reads the clock (docs/design/dd-007).
NEAR_NS = 10_000
Case = dict[str, Any]


@pytest.fixture(scope="module")
def seen(uml_guest_run: Callable[..., list[Case]]) -> dict[str, Case]:
    served, *cases = uml_guest_run(Path(__file__).with_name("guest_router.py"))
    return {"served": served, **{row["case"]: row for row in cases}}


def test_both_layouts_take_what_is_expected_where_nothing_is_lost(seen: dict[str, Case]) -> None:
    served = {one["profile"]["name"]: one for one in seen["served"]["served"]}
    off = {}
    for cell in GRID:
        exchange = exchange_of(cell, served[cell.profile.name]["certificate_wire_bytes"])
        timings, expected = seen[cell_id(cell)]["timings"], simulate_fetch(cell, exchange)
        assert timings["outcome"] == "ok"
        assert timings["queue_drops"] == (0 if cell.link.layout == "router" else None)
        if unknowns(cell, expected):
            continue
        for name in ("tcp_connect_ns", "tls_done_ns", "first_byte_ns", "last_byte_ns"):
            wanted = getattr(expected, name.removeprefix("tcp_"))
            off[f"{cell.profile.name} {cell.link} {cell.workload} {name}"] = 100 * (timings[name] / wanted - 1)
    assert {name: value for name, value in off.items() if abs(value) > TOLERANCE_PCT} == {}
    assert len(off) >= 4 * 40


def test_a_full_queue_loses_packets_in_the_router_and_none_at_the_ends(seen: dict[str, Case]) -> None:
    assert {name: seen[f"short {name}"]["timings"]["outcome"] for name in LAYOUTS} == dict.fromkeys(LAYOUTS, "ok")
    assert seen["short ends"]["retransmitted"] == 0
    assert seen["short router"]["retransmitted"] > 5
    first, again = seen["short router"], seen["short again"]
    # The kernel counts what it had no room for; each of these is sent again.
    assert first["timings"]["queue_drops"] == first["retransmitted"]
    assert seen["short ends"]["timings"]["queue_drops"] is None
    assert first["retransmitted"] == again["retransmitted"]
    assert abs(first["timings"]["last_byte_ns"] - again["timings"]["last_byte_ns"]) < NEAR_NS


def test_the_expectation_tells_to_the_packet_when_a_queue_overflows(seen: dict[str, Case]) -> None:
    (wire_bytes,) = (
        one["certificate_wire_bytes"] for one in seen["served"]["served"] if one["profile"]["name"] == "classical"
    )
    expected = {name: simulate_fetch(cell, exchange_of(cell, wire_bytes)) for name, cell in SPECIAL.items()}
    for name, drops in (("queue 24", 1), ("queue 25", 0)):
        assert expected[name].overflowed == bool(drops)
        assert seen[name]["timings"]["queue_drops"] == drops
    assert seen["queue 25"]["timings"]["last_byte_ns"] == pytest.approx(
        expected["queue 25"].last_byte_ns, rel=TOLERANCE_PCT / 100
    )


def test_every_stage_is_read_back_as_it_was_asked(seen: dict[str, Case]) -> None:
    state = seen["state jittery"]["state"]
    assert tuple(state["stages"]) == STAGES
    for stage in state["stages"].values():
        assert stage["applied"] == stage["asked"]
    assert state["stages"]["down-rate"]["applied"]["limit_packets"] == 1001
    assert state["stages"]["up-delay"]["applied"]["delay_ns"] == 17_500_000
    assert state["stages"]["down-delay"]["applied"]["jitter_ns"] == 3 * MS
    for side in ("client", "server"):
        assert state[side]["text"].startswith("qdisc noqueue")
        assert (state[side]["applied"]["initcwnd"], state[side]["applied"]["segmentation"]) == (20, "wire")
    for name in SPECIAL:
        asked, read = seen[f"state {name}"]["state"], seen[f"read {name}"]["state"]
        ends = {"client": asked["client"], "server": asked["server"], **asked["stages"]}
        again = {"client": read["client"], "server": read["server"], **read["stages"]}
        assert {at: end["applied"] for at, end in ends.items()} == {at: end["applied"] for at, end in again.items()}


def test_jitter_reorders_nothing_where_the_link_has_a_rate(seen: dict[str, Case]) -> None:
    assert seen["jittery"]["timings"]["outcome"] == "ok"
    assert seen["jittery"]["retransmitted"] == 0


def test_no_hop_carries_more_than_a_segment_at_a_time_or_merges_any(seen: dict[str, Case]) -> None:
    hops = seen["hops"]
    assert set(hops["largest"]) == {"client eth1", "eth1", *STAGES}
    assert set(hops["largest"].values()) == {FRAME_BYTES}
    assert len(set(hops["frames"].values())) == 1
