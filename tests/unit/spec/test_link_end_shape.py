from dataclasses import replace

import pytest

from pqbed.net.netem import netem_of
from pqbed.spec.link import GilbertElliott, Link, RandomLoss
from pqbed.spec.link_end_shape import STAGES, end_seed, limit_packets, reseed, shape_end, shape_stage, stages_of
from pqbed.spec.tcp import Tcp
from support.units import MS


def test_the_two_ends_share_the_rtt_to_the_nanosecond() -> None:
    link = Link(rtt_ns=35 * MS + 1)
    client, server = (shape_end(link, Tcp(), side, seed=1) for side in ("client", "server"))
    assert client.delay_ns + server.delay_ns == link.rtt_ns
    assert client.delay_ns - server.delay_ns == 1


def test_each_end_has_its_own_windows() -> None:
    tcp = Tcp(initcwnd_server=30, initcwnd_client=10, initrwnd=44)
    assert shape_end(Link(rtt_ns=0), tcp, "server", seed=1).initcwnd == 30
    assert shape_end(Link(rtt_ns=0), tcp, "client", seed=1).initcwnd == 10
    assert shape_end(Link(rtt_ns=0), tcp, "client", seed=1).initrwnd == 44


def test_each_direction_has_its_own_rate_and_loss() -> None:
    link = Link(
        rtt_ns=100 * MS,
        bandwidth_bps=16_000_000,
        bandwidth_up_bps=1_000_000,
        loss=RandomLoss(probability_ppm=10),
        loss_up=GilbertElliott(enter_bad_ppm=1, leave_bad_ppm=2),
    )
    client, server = (shape_end(link, Tcp(), side, seed=1) for side in ("client", "server"))
    assert (server.rate_bps, server.loss) == (16_000_000, link.loss)
    assert (client.rate_bps, client.loss) == (1_000_000, link.loss_up)
    assert client.limit_packets < server.limit_packets


def test_the_way_up_is_as_down_where_nothing_is_said() -> None:
    link = Link(rtt_ns=100 * MS, bandwidth_bps=1_000_000, loss=RandomLoss(probability_ppm=10))
    client, server = (shape_end(link, Tcp(), side, seed=1) for side in ("client", "server"))
    assert replace(client, seed=server.seed) == server
    free = shape_end(replace(link, bandwidth_up_bps=0, loss_up=RandomLoss()), Tcp(), "client", seed=1)
    assert (free.rate_bps, free.loss) == (None, RandomLoss())
    assert free.limit_packets > server.limit_packets


def test_each_end_has_its_own_congestion_control() -> None:
    tcp = Tcp(congestion_control="bbr", congestion_control_client="reno")
    assert shape_end(Link(rtt_ns=0), tcp, "server", seed=1).congestion_control == "bbr"
    assert shape_end(Link(rtt_ns=0), tcp, "client", seed=1).congestion_control == "reno"
    same = Tcp(congestion_control="bbr")
    assert shape_end(Link(rtt_ns=0), same, "client", seed=1).congestion_control == "bbr"


def test_limit_holds_the_delay_line_and_the_queue() -> None:
    link = Link(rtt_ns=200 * MS, bandwidth_bps=1_000_000_000, queue_packets=1000)
    # 100 ms at 1 Gbit/s are 100 Mbit, in frames of 1514 bytes.
    assert limit_packets(link, 1500, 100 * MS) == -(-100_000_000 // (8 * 1514)) + 1000


def test_limit_counts_the_reach_of_jitter() -> None:
    link = Link(rtt_ns=0, bandwidth_bps=12_112_000, jitter_ns=MS, queue_packets=0)
    assert limit_packets(link, 1500, 0) == 4  # a frame a millisecond, and 4 jitters


def test_limit_without_rate_is_bounded_by_the_windows() -> None:
    link = Link(rtt_ns=200 * MS, queue_packets=0)
    assert limit_packets(link, 1500, 100 * MS) * 1514 >= 6 * 1024 * 1024


def test_smaller_frames_need_a_larger_limit() -> None:
    link = Link(rtt_ns=100 * MS, bandwidth_bps=10_000_000)
    assert limit_packets(link, 576, 50 * MS) > limit_packets(link, 1500, 50 * MS)


def test_seeds_of_sides_and_neighbours_are_far_apart() -> None:
    seeds = {end_seed(seed, side) for seed in range(1000) for side in ("client", "server")}
    assert len(seeds) == 2000
    assert all(0 < seed < 1 << 64 for seed in seeds)
    ones = sum(seed.bit_count() for seed in seeds) / (64 * len(seeds))
    assert ones == pytest.approx(0.5, abs=0.01)


def test_reseed_changes_nothing_else() -> None:
    link = Link(rtt_ns=MS, loss=GilbertElliott(enter_bad_ppm=1, leave_bad_ppm=2))
    shape = shape_end(link, Tcp(), "server", seed=1)
    other = reseed(shape, 2, "server")
    assert other == shape_end(link, Tcp(), "server", seed=2)
    assert replace(other, seed=shape.seed) == shape


def test_a_plain_limit_is_taken_as_it_is() -> None:
    link = Link(rtt_ns=200 * MS, bandwidth_bps=1_000_000_000, limit_packets=1000)
    assert limit_packets(link, 1500, 100 * MS) == 1000


ROUTED = Link(
    rtt_ns=35 * MS + 1,
    bandwidth_bps=16_000_000,
    bandwidth_up_bps=1_000_000,
    loss=RandomLoss(probability_ppm=10),
    loss_up=RandomLoss(probability_ppm=20),
    queue_packets=10,
    layout="router",
)


def test_stages_of_a_router_do_in_two_steps_what_the_ends_do_in_one() -> None:
    ends = {side: shape_end(replace(ROUTED, layout="ends"), Tcp(), side, seed=1) for side in ("client", "server")}
    stages = {stage: shape_stage(ROUTED, Tcp(), stage, seed=1) for stage in STAGES}
    for way, side in (("down", "server"), ("up", "client")):
        rate, delay = stages[f"{way}-rate"], stages[f"{way}-delay"]
        assert (rate.rate_bps, rate.delay_ns, rate.loss) == (ends[side].rate_bps, 0, RandomLoss())
        assert (delay.rate_bps, delay.delay_ns, delay.loss) == (None, ends[side].delay_ns, ends[side].loss)
        # What is lost at the ends is lost in the router: the same stream, packet by packet.
        assert delay.seed == ends[side].seed
        # Ten that wait, and the one that leaves.
        assert rate.limit_packets == 11
    assert shape_stage(replace(ROUTED, limit_packets=30), Tcp(), "down-rate", seed=1).limit_packets == 30
    assert stages_of(ROUTED) == STAGES
    assert stages_of(replace(ROUTED, layout="ends")) == ()


def test_the_ends_of_a_router_are_bare() -> None:
    tcp = Tcp(initcwnd_server=30, mtu=1400)
    for side in ("client", "server"):
        end = shape_end(ROUTED, tcp, side, seed=1)
        assert netem_of(end) is None
        assert end.mtu == 1400
    assert shape_end(ROUTED, tcp, "server", seed=1).initcwnd == 30
    assert shape_stage(ROUTED, tcp, "up-rate", seed=1).mtu == 1400


def test_a_router_without_a_rate_has_no_bottleneck() -> None:
    free = replace(ROUTED, bandwidth_bps=None)
    assert netem_of(shape_stage(free, Tcp(), "down-rate", seed=1)) is None
    assert netem_of(shape_stage(free, Tcp(), "up-rate", seed=1)) is not None


def test_jitter_keeps_the_order_where_there_is_a_rate() -> None:
    jittery = replace(ROUTED, bandwidth_up_bps=0, jitter_ns=MS)
    down, up = (shape_stage(jittery, Tcp(), stage, seed=1) for stage in ("down-delay", "up-delay"))
    # So fast that the longest packet of the kernel's takes less than a nanosecond.
    assert 8 * 65_536 * 10**9 // down.rate_bps == 0
    assert up.rate_bps is None
