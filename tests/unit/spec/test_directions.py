"""Links whose directions differ in delay, jitter and queue."""

import math
from dataclasses import replace

import pytest

from pqbed.errors import SpecError
from pqbed.model.floor import rtt_floor_ns
from pqbed.spec.link import Link, PlainLimit
from pqbed.spec.link_end_shape import shape_end, shape_stage
from pqbed.spec.sweep_checks import cut_delays
from pqbed.spec.sweep_toml import sweep_from
from pqbed.spec.tcp import Tcp
from support.units import MS

LINK = Link(
    rtt_ns=100 * MS,
    delay_up_ns=30 * MS,
    bandwidth_bps=1_000_000,
    jitter_ns=MS,
    jitter_up_ns=0,
    distribution="normal",
    distribution_up="pareto",
    queue_up_packets=7,
)


def test_each_end_has_its_own() -> None:
    up, down = shape_end(LINK, Tcp(), "client", 1), shape_end(LINK, Tcp(), "server", 1)
    assert (up.delay_ns, up.jitter_ns, up.distribution) == (30 * MS, 0, "pareto")
    assert (down.delay_ns, down.jitter_ns, down.distribution) == (70 * MS, MS, "normal")
    frame_bits = 8 * (1500 + 14)
    on_the_wire = math.ceil(30e-3 * 1_000_000 / frame_bits)
    assert up.limit_packets == on_the_wire + 7


def test_each_bottleneck_has_its_own() -> None:
    routed = replace(LINK, layout="router")
    assert shape_stage(routed, Tcp(), "up-rate", 1).limit_packets == 8
    assert shape_stage(routed, Tcp(), "down-rate", 1).limit_packets == 1001
    plain = replace(routed, queue_up_packets=None, limit_up_packets=PlainLimit(packets=9).packets)
    assert shape_stage(plain, Tcp(), "up-rate", 1).limit_packets == 9


def test_the_floor_of_the_rtt_is_that_of_both_ways() -> None:
    assert rtt_floor_ns(LINK) == 96 * MS
    assert rtt_floor_ns(replace(LINK, jitter_up_ns=30 * MS, distribution_up="uniform")) == 66 * MS


@pytest.mark.parametrize(
    ("texts", "wrong"),
    [
        ({"rtt": "20,100", "delay_up": "30"}, "--delay-up 30ms is more than --rtt 20ms"),
        ({"rtt": "100", "delay_up": "5", "jitter": "6"}, "--jitter 6ms .uniform. at --rtt 100ms reaches below zero"),
        ({"rtt": "100", "jitter_up": "60"}, "--jitter-up 60ms .uniform. at --rtt 100ms reaches below zero"),
        ({"rtt": "100", "distribution_up": "normal"}, "--distribution-up normal has no effect without --jitter"),
    ],
)
def test_what_cannot_be_is_refused(texts: dict[str, str], wrong: str) -> None:
    with pytest.raises(SpecError, match=wrong):
        sweep_from(texts, bare=True)


def test_a_distribution_needs_jitter_in_one_direction_only() -> None:
    sweep, _ = sweep_from({"rtt": "100", "jitter_up": "5", "distribution": "normal"}, bare=True)
    assert sweep.jitter_up_ns == (5 * MS,)


def test_delays_that_are_cut_are_told_with_the_mean_of_both_ways() -> None:
    sweep, _ = sweep_from({"rtt": "100", "jitter_up": "100", "cut_jitter": True}, bare=True)
    # Uniform from -50 to 150 ms: what is below zero has a mean of 6.25 ms.
    assert cut_delays(sweep) == [
        "at rtt 100ms and uniform jitter 100ms delays are cut at zero, so the mean RTT is 106.2ms (+6.2%)"
    ]
