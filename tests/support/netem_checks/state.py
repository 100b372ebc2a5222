"""Checks of what is set and read back, by us and by tc."""

import subprocess
from dataclasses import replace
from typing import Any

from pqbed.net import sysctls
from pqbed.net.addresses import IFNAME
from pqbed.net.netem import QdiscMessage
from pqbed.net.netem_support import check_netem
from pqbed.net.rtnetlink import NLM_F_REPLACE, RouteSocket
from pqbed.net.shaped_interface import ShapedInterface
from pqbed.net.tc_messages import RTM_NEWQDISC, TC_H_ROOT
from pqbed.spec.link import RandomLoss
from support.netem_checks.check import equal, fails, near, require
from support.netem_checks.lane import CLIENT, Lane
from support.netem_checks.shapes import PLAIN, SHAPES
from support.netem_checks.tc import as_applied, compare_with_tc, tc
from support.netem_model import Generator, delay_ns


def netem_is_supported(_: Lane) -> None:
    check_netem(IFNAME, CLIENT)
    equal(tc()["kind"], "noqueue", "qdisc after the probe")


def sysctls_are_pinned(_: Lane) -> dict[str, str]:
    state = sysctls.read(CLIENT)
    equal({name: state[name] for name in sysctls.PINS}, sysctls.PINS, "pins")
    return state


def every_shape_is_read_back_by_us_and_by_tc(lane: Lane) -> int:
    for name, shape in SHAPES.items():
        state = lane.client.shape(shape)
        equal(state.asked, shape, name)
        equal(state.applied, as_applied(shape), name)
        equal(lane.client.read().applied, as_applied(shape), f"{name}, read again")
        compare_with_tc(shape)
    return len(SHAPES)


def every_shape_clears_every_other(lane: Lane) -> int:
    pairs = [(one, other) for one in SHAPES.values() for other in SHAPES.values() if one is not other]
    for one, other in pairs:
        lane.client.shape(one)
        lane.client.shape(other)
        equal(lane.client.read().applied, as_applied(other), f"after {one}")
    return len(pairs)


def shape_of_another_seed_is_a_reseed(lane: Lane) -> None:
    shape = SHAPES["everything"]
    lane.client.shape(shape)
    other = replace(shape, seed=99 << 20)
    equal(lane.client.shape(other).applied, other, "applied")
    equal(lane.client.read().applied, other, "read")
    require(lane.client.shape(other).text.endswith(f"seed {other.seed}"), "text lacks the seed")


def what_a_change_leaves_out(lane: Lane) -> dict[str, Any]:
    """Hold the kernel against what net/netem.py says of it: a message with nothing but a seed."""
    lane.client.shape(SHAPES["everything"])
    bare = QdiscMessage()
    kernel = RouteSocket(CLIENT)
    bare["index"] = lane.client._index
    bare["parent"] = TC_H_ROOT
    fixed = {"latency": 0, "limit": 50, "loss": 0, "gap": 0, "duplicate": 0, "jitter": 0}
    options = {**fixed, "attrs": [["TCA_NETEM_PRNG_SEED", 5]]}
    bare["attrs"] = [["TCA_KIND", "netem"], ["TCA_OPTIONS", options]]
    kernel.ask(bare, RTM_NEWQDISC, NLM_F_REPLACE)
    kernel.close()
    left = lane.client.read().applied
    equal(
        (left.delay_ns, left.jitter_ns, left.loss, left.limit_packets, left.seed, left.rate_bps),
        (0, 0, RandomLoss(), 50, 5, SHAPES["everything"].rate_bps),
        "delay, jitter, loss, limit, seed, rate",
    )
    # Our own message for another seed leaves out the table alone, which stays.
    shape = replace(SHAPES["everything"], loss=RandomLoss(), rate_bps=None)
    lane.client.shape(shape)
    lane.client.reseed(6)
    equal(lane.client.read().applied, replace(shape, seed=6), "after a seed")
    stream = Generator(6)
    worst = near(
        lane.delays(50), [delay_ns(stream, shape.delay_ns, shape.jitter_ns, "paretonormal") for _ in range(50)]
    )
    return {"stays": ["rate", "table"], "cleared": ["delay", "jitter", "loss model"], "worst_ns": worst}


def quiet_drops_what_is_on_the_wire(lane: Lane) -> None:
    shape = SHAPES["everything"]
    lane.client.shape(shape)
    lane.client.quiet()
    equal(tc()["kind"], "noqueue", "qdisc when quiet")
    other = replace(shape, seed=7 << 30)
    equal(lane.client.shape(other).applied, other, "applied")
    equal(lane.client.read().applied, other, "read")
    compare_with_tc(other)
    lane.client.quiet()
    base = ["ip", "netns", "exec", "client", "tc", "qdisc"]
    subprocess.run([*base, "add", "dev", IFNAME, "root", "netem", "delay", "1ms"], check=True)
    fails(lambda: lane.client.reseed(6), "netem on eth0")
    lane.client.clear()


def a_reading_after_a_seed_is_held_against_the_last(lane: Lane) -> None:
    lane.client.shape(SHAPES["delay"])
    root = lane.client._root
    read = root._options
    root._options = bytes([read[0] ^ 1]) + read[1:]
    fails(lambda: lane.client.reseed(6), "has changed unexpectedly")
    root._options = read
    lane.client.reseed(7)
    lane.client.clear()


def a_qdisc_of_another_program_is_noticed(lane: Lane) -> None:
    lane.client.shape(SHAPES["delay"])
    base = ["ip", "netns", "exec", "client", "tc", "qdisc"]
    subprocess.run([*base, "del", "dev", IFNAME, "root"], check=True)
    fails(lambda: lane.client.reseed(6), "is gone")
    subprocess.run([*base, "add", "dev", IFNAME, "root", "netem", "delay", "1ms", "reorder", "25%"], check=True)
    require("reorder" in lane.client.read().text, "reordering is not told")
    with ShapedInterface(CLIENT, IFNAME) as fresh:
        equal(fresh.shape(SHAPES["everything"]).applied, SHAPES["everything"], "applied")
        compare_with_tc(SHAPES["everything"])
        fresh.clear()
    equal(tc()["kind"], "noqueue", "qdisc after clear")
    lane.client.clear()


def what_the_kernel_refuses_is_told(lane: Lane) -> None:
    fails(lambda: lane.client.shape(replace(PLAIN, congestion_control="nonesuch")), "congestion control")
    fails(lambda: lane.client.shape(replace(PLAIN, delay_ns=1, jitter_ns=1 << 31)), "jitter_ns: asked 2147483648")
    fails(lambda: ShapedInterface(CLIENT, "nonesuch"), "no interface")
    fails(lambda: ShapedInterface("/var/run/netns/nonesuch", IFNAME), "no network namespace")


CHECKS = (
    netem_is_supported,
    sysctls_are_pinned,
    every_shape_is_read_back_by_us_and_by_tc,
    every_shape_clears_every_other,
    shape_of_another_seed_is_a_reseed,
    what_a_change_leaves_out,
    quiet_drops_what_is_on_the_wire,
    a_reading_after_a_seed_is_held_against_the_last,
    a_qdisc_of_another_program_is_noticed,
    what_the_kernel_refuses_is_told,
)
