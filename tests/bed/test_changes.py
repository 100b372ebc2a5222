"""Links that change during a fetch, in virtual time: an outage ends at a timer, each part of a trace has its rate."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pqbed.model.simulate.jiffies import expiry_ns
from pqbed.spec.link_timeline import Timeline, draw_offset
from pqbed.units import NS_PER_S
from support.changing_cells import OUT_AT_NS, OUTAGES_MS, RTT_NS, SEEDS, SLOWER, TWO_RATES
from support.units import MBIT, MS

pytestmark = pytest.mark.uml

# How often libcurl reads the clock (docs/design/dd-007), and how late the kernel's timers are.
NEAR_NS = 100_000
FRAME_BITS = 8 * 1514
# In jiffies: a probe after two round trips (RFC 8985, section 7.2); a time-out is one and no less than 200 (RFC 6298).
PROBE, TIMEOUT = 160, 80 + 200
FLIGHT_NS = 3 * RTT_NS // 2
Case = dict[str, Any]


@pytest.fixture(scope="module")
def seen(uml_guest_run: Callable[..., list[Case]]) -> dict[str, list[Case]]:
    cases = {row["case"]: row["timings"] for row in uml_guest_run(Path(__file__).with_name("guest_changes.py"))}
    assert {timings["outcome"] for rows in cases.values() for timings in rows} == {"ok"}
    return cases


def repair_ns(out_until_ns: int) -> int:
    """Return when the server first sends its flight again after the outage: by its probe, or a later time-out."""
    at_ns, timeout = expiry_ns(FLIGHT_NS, PROBE), TIMEOUT
    while at_ns < out_until_ns:
        at_ns, timeout = expiry_ns(at_ns, timeout), 2 * timeout
    return at_ns


@pytest.mark.parametrize("for_ms", OUTAGES_MS)
def test_an_outage_at_the_server_s_flight_ends_at_its_next_timer(seen: dict[str, list[Case]], for_ms: int) -> None:
    # One segment goes there, its acknowledgement back, and the other one there.
    done_ns = repair_ns(OUT_AT_NS + for_ms * MS) + 3 * RTT_NS // 2
    for timings in seen[f"out {for_ms}"]:
        assert abs(timings["tls_done_ns"] - done_ns) < NEAR_NS


def test_an_outage_costs_the_same_in_the_router(seen: dict[str, list[Case]]) -> None:
    cases = (f"out {OUTAGES_MS[0]}", "out in the router")
    times = [timings["last_byte_ns"] for case in cases for timings in seen[case]]
    assert max(times) - min(times) <= MS // 10


def test_each_part_of_a_trace_is_serialised_at_its_rate(seen: dict[str, list[Case]]) -> None:
    steady = seen["steady"][0]
    bits = (steady["last_byte_ns"] - steady["first_byte_ns"]) * MBIT // NS_PER_S
    for seed, timings in zip((*SEEDS, *SEEDS), seen["two rates"], strict=True):
        timeline = Timeline(trace=TWO_RATES, offset_ns=draw_offset(seed, TWO_RATES))
        left, now_ns = bits, timings["first_byte_ns"] - RTT_NS // 2
        while left > 0:
            frame_bits, rate_bps = min(left, FRAME_BITS), timeline.step(now_ns).rate_bps
            assert rate_bps is not None
            left, now_ns = left - frame_bits, now_ns + frame_bits * NS_PER_S // rate_bps
        assert abs(now_ns + RTT_NS // 2 - timings["last_byte_ns"]) < 2 * NEAR_NS


def test_a_delay_of_a_trace_is_that_of_its_part(seen: dict[str, list[Case]]) -> None:
    for seed, timings in zip((*SEEDS, *SEEDS), seen["slower"], strict=True):
        timeline = Timeline(trace=SLOWER, offset_ns=draw_offset(seed, SLOWER))
        now_ns = 0
        for milestone in ("tcp_connect_ns", "tls_done_ns", "last_byte_ns"):
            for _there_and_back in range(2):
                now_ns += timeline.step(now_ns).delay_ns or 0
            assert abs(now_ns - timings[milestone]) < NEAR_NS
