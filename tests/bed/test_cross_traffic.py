"""Cross traffic in virtual time: what it costs a fetch, that it repeats, and that nothing of it is left."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.units import MS

pytestmark = pytest.mark.uml

NEAR_NS = 100_000
Case = dict[str, Any]


@pytest.fixture(scope="module")
def seen(uml_guest_run: Callable[..., list[Case]]) -> dict[str, list[Case]]:
    return {row["case"]: row["timings"] for row in uml_guest_run(Path(__file__).with_name("guest_cross_traffic.py"))}


def ttlb_ns(seen: dict[str, list[Case]], name: str) -> int:
    assert [timings["outcome"] for timings in seen[name]] == ["ok", "ok"]
    return int(seen[name][0]["last_byte_ns"])


def test_it_takes_its_share_and_leaves_nothing_behind(seen: dict[str, list[Case]]) -> None:
    alone = ttlb_ns(seen, "alone")
    assert 1.5 * alone < ttlb_ns(seen, "half of it udp") < 2 * alone
    assert abs(ttlb_ns(seen, "alone again") - alone) < NEAR_NS


def test_what_does_not_draw_repeats(seen: dict[str, list[Case]]) -> None:
    for name in ("half of it udp", "both ways", "bloated", "fq_codel", "marked"):
        first, second = seen[name]
        assert abs(first["last_byte_ns"] - second["last_byte_ns"]) < NEAR_NS, name
        assert (first["queue_drops"], first["ecn_marks"]) == (second["queue_drops"], second["ecn_marks"])


def test_a_long_queue_costs_minutes_and_a_managed_one_does_not(seen: dict[str, list[Case]]) -> None:
    bloated, managed, marked = (seen[name][0] for name in ("bloated", "fq_codel", "marked"))
    assert bloated["tls_done_ns"] > 100_000 * MS
    assert managed["tls_done_ns"] < 1_500 * MS
    assert marked["tls_done_ns"] < managed["tls_done_ns"]
    assert bloated["queue_drops"] > managed["queue_drops"] > 0
    assert (marked["queue_drops"], managed["ecn_marks"]) == (0, None)
    assert marked["ecn_marks"] > 0


def test_flows_of_both_directions_and_other_controls_run(seen: dict[str, list[Case]]) -> None:
    for name in ("bbr up", "both ways"):
        assert ttlb_ns(seen, name) > 500 * MS


def test_traffic_that_does_not_arrive_is_named(seen: dict[str, list[Case]]) -> None:
    for name, words in (("deaf", "no cross traffic arrived down"), ("no such control", "nonesuch cannot be sent")):
        for timings in seen[name]:
            assert timings["outcome"] == "link_mismatch"
            assert words in timings["detail"]
