from typing import Any

import pytest

from pqbed.beds.bed_interface import Bed, Lane
from pqbed.beds.fake_bed import FakeBed
from pqbed.errors import LaneError
from pqbed.model.floor import ttlb_floor_ns
from pqbed.model.message_sizes import certificate_message_bytes
from pqbed.model.tls_exchange import exchange_of
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import STAGES
from pqbed.spec.tcp import Tcp
from support.profiles import PQ
from support.sweeps import small_plan

PLAN = small_plan()
TIMEOUT_NS = 300_000_000_000


def lane_of(timeout_ns: int = TIMEOUT_NS, **options: Any) -> Lane:
    bed: Bed = FakeBed(**options)
    return bed.open_lane(0, PLAN.profiles, timeout_ns)


def test_the_same_fetch_gives_the_same_timings_in_any_order() -> None:
    block = PLAN.block(0)
    forwards = dict(lane_of().run(PLAN.cells, block))
    assert dict(lane_of().run(PLAN.cells, block[::-1])) == forwards
    assert len({timings.last_byte_ns for timings in forwards.values()}) == len(block)


def test_timings_are_in_order_and_never_below_the_floor() -> None:
    for block in PLAN.blocks():
        for fetch, timings in lane_of().run(PLAN.cells, block):
            cell = PLAN.cells[fetch.cell_id]
            exchange = exchange_of(cell)
            floor = ttlb_floor_ns(cell, exchange.server_bytes, exchange.client_bytes, sum(exchange.response))
            assert timings.outcome == "ok"
            assert timings.tcp_connect_ns < timings.tls_done_ns < timings.first_byte_ns <= timings.last_byte_ns
            assert timings.last_byte_ns >= floor


def test_it_fails_dies_and_times_out_as_told() -> None:
    results = lane_of(fail_at=[2], die_at=[4], fail_with="reset").run(PLAN.cells, PLAN.block(0))
    assert [next(results)[1].outcome for _ in range(3)] == ["ok", "reset", "ok"]
    with pytest.raises(LaneError, match="fetch 4"):
        next(results)
    assert {timings.outcome for _, timings in lane_of(1000).run(PLAN.cells, PLAN.block(0))} == {"timeout"}


def test_a_link_reads_back_as_it_was_set() -> None:
    lane = lane_of()
    with pytest.raises(LaneError):
        lane.read_link()
    state = lane.set_link(Link(rtt_ns=35_000_000), Tcp(), 7)
    assert lane.read_link() == state
    assert state.client.asked == state.client.applied
    assert tuple(lane.set_link(Link(rtt_ns=35_000_000, layout="router"), Tcp(), 7).stages) == STAGES


def test_it_serves_the_profiles() -> None:
    served = lane_of().facts.served
    assert [each.profile.name for each in served] == ["classic", "pq"]
    assert served[1].certificate_wire_bytes == certificate_message_bytes(PQ.chain) > 11_000
