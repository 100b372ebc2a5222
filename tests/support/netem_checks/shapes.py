"""Shapes that differ from one another in one thing each, and one that has everything."""

from dataclasses import replace

from pqbed.spec.link import GilbertElliott, RandomLoss
from pqbed.spec.link_end_shape import EndShape
from support.units import MS

PLAIN = EndShape(
    delay_ns=0,
    jitter_ns=0,
    distribution="uniform",
    loss=RandomLoss(),
    rate_bps=None,
    limit_packets=1000,
    seed=0x9E3779B97F4A7C15,
    segmentation="wire",
    mtu=1500,
    initcwnd=20,
    initrwnd=0,
    congestion_control="cubic",
)
BURSTS = GilbertElliott(enter_bad_ppm=100_000, leave_bad_ppm=300_000, loss_in_bad_ppm=800_000, loss_in_good_ppm=5_000)
SHAPES = {
    "delay": replace(PLAIN, delay_ns=17_500_001),
    "long delay": replace(PLAIN, delay_ns=5_000 * MS),
    "uniform jitter": replace(PLAIN, delay_ns=20 * MS, jitter_ns=MS),
    "normal jitter": replace(PLAIN, delay_ns=20 * MS, jitter_ns=MS, distribution="normal"),
    "pareto jitter": replace(PLAIN, delay_ns=20 * MS, jitter_ns=MS, distribution="pareto"),
    "paretonormal jitter": replace(PLAIN, delay_ns=20 * MS, jitter_ns=MS, distribution="paretonormal"),
    "random loss": replace(PLAIN, loss=RandomLoss(probability_ppm=12_345)),
    "certain loss": replace(PLAIN, loss=RandomLoss(probability_ppm=1_000_000)),
    "burst loss": replace(PLAIN, loss=BURSTS),
    "rate": replace(PLAIN, rate_bps=1_000_000),
    "rate beyond 32 bit": replace(PLAIN, rate_bps=100_000_000_000),
    "limit": replace(PLAIN, delay_ns=1, limit_packets=123_456),
    "seed": replace(PLAIN, delay_ns=1, seed=2**64 - 1),
    "windows": replace(PLAIN, initcwnd=33, initrwnd=44, congestion_control="bbr", mtu=1400),
    "offload-off": replace(PLAIN, segmentation="offload-off"),
    "host": replace(PLAIN, segmentation="host"),
    "everything": replace(
        PLAIN,
        delay_ns=100 * MS,
        jitter_ns=3 * MS,
        distribution="paretonormal",
        loss=BURSTS,
        rate_bps=8_000_000,
        limit_packets=4321,
        initrwnd=10,
    ),
}
