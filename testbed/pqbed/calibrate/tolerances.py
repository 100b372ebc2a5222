"""How far a link may be from what was asked before it is called wrong, and why so far. By clock.

Virtual time has no noise: what is allowed is what reading the guest's clock costs (256 ns a reading), the integer
division of netem's rate and delay, and chance. On a real clock the host's other work comes between: a packet
leaves when its CPU is free, so times may be late by a timer tick and the scheduler's turn.
"""

from dataclasses import dataclass

from pqbed.spec.options import Clock

# A right link is called wrong by chance once in so many checks. A sweep over 50 lossy links makes 200 of them.
CERTAINTY = 1e-4
# The interval that is shown to people.
SHOWN_CERTAINTY = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Shares are of what was asked, and come on top of what is given in ns.

    `spread_share` is added to the distance between two distribution functions that chance alone explains.
    """

    rtt_share: float
    rtt_ns: int
    rate_share: float
    rate_ns: int
    jitter_ns: int
    spread_share: float
    queue_share: float


TOLERANCES: dict[Clock, Tolerance] = {
    "virtual": Tolerance(
        # Tried: 32 to 300 ns above what was asked, at 35 and 200 ms.
        rtt_share=0.001,
        rtt_ns=20_000,
        # Tried: exact at 1 Mbit/s; 0.2 us of 1.2 ms at 1 Gbit/s.
        rate_share=0.005,
        rate_ns=5_000,
        jitter_ns=20_000,
        # Quantiles are kept by the hundredth.
        spread_share=0.01,
        queue_share=0.0,
    ),
    "real": Tolerance(
        # HZ may be 100 or 250, and a busy host turns late; half a millisecond a direction is common.
        rtt_share=0.05,
        rtt_ns=1_000_000,
        # As above, over one train of packets.
        rate_share=0.10,
        rate_ns=2_000_000,
        # A turn of the scheduler: what a busy host adds to one packet of ten.
        jitter_ns=10_000_000,
        spread_share=0.05,
        # Packets leave while a queue is filled.
        queue_share=0.05,
    ),
}
