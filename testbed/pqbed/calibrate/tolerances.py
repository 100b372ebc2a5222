"""Calibration tolerances by clock: how far a link may deviate from the request before it is called wrong.

Virtual time has no noise: the tolerance covers the cost of reading the guest's clock (256 ns per reading), the integer
division of netem's rate and delay, and chance. On a real clock other work on the host interferes: a packet leaves when
its CPU is free, so it may be late by a timer tick and a scheduler time slice.
"""

from dataclasses import dataclass

from pqbed.spec.run_options import Clock

# Significance level of each check: the probability that a correct link is called wrong. A sweep over 50 lossy links
# makes 200 checks.
ALPHA = 1e-4
# Of the confidence intervals that users see: 1 - 0.05 is 95 %.
INTERVAL_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Shares are relative to the requested value and are added to the tolerance in ns.

    `spread_share` is added to the distance between two distribution functions that chance explains at ALPHA.
    """

    rtt_share: float
    rtt_ns: int
    rate_share: float
    rate_ns: int
    jitter_ns: int
    spread_share: float
    queue_share: float
    changes_share: float


TOLERANCES: dict[Clock, Tolerance] = {
    "virtual": Tolerance(
        # Measured: 32 to 300 ns above the request, at 35 and 200 ms.
        rtt_share=0.001,
        rtt_ns=20_000,
        # Measured: exact at 1 Mbit/s; 0.2 us of 1.2 ms at 1 Gbit/s.
        rate_share=0.005,
        rate_ns=5_000,
        jitter_ns=20_000,
        # Quantiles are stored by the hundredth.
        spread_share=0.01,
        queue_share=0.0,
        # Those near a change are left out.
        changes_share=0.01,
    ),
    "real": Tolerance(
        # HZ may be 100 or 250, and a busy host wakes up late; half a millisecond per direction is common.
        rtt_share=0.05,
        rtt_ns=1_000_000,
        # As above, over one train of packets.
        rate_share=0.10,
        rate_ns=2_000_000,
        # A scheduler time slice: what a busy host adds to one packet in ten.
        jitter_ns=10_000_000,
        spread_share=0.05,
        # Packets leave the queue while it is being filled.
        queue_share=0.05,
        # A busy host wakes up late.
        changes_share=0.2,
    ),
}
