"""What netem does, packet by packet, for a given seed: Linux's own generator and its three models.

From lib/random32.c (prandom_u32_state), include/linux/prandom.h (prandom_seed_state) and
net/sched/sch_netem.c (loss_event, tabledist).
"""

from pqbed.net.netem import GilbertElliottOdds
from pqbed.spec.delay_tables import SCALE, table

MASK = 0xFFFF_FFFF
# a, b, c, d of each part of the combined Tausworthe generator (L'Ecuyer 1999).
STEPS = ((6, 13, 4294967294, 18), (2, 27, 4294967288, 2), (13, 21, 4294967280, 7), (3, 12, 4294967168, 13))
FLOORS = (2, 8, 16, 128)


class Generator:
    """netem's random stream."""

    def __init__(self, seed: int) -> None:
        folded = ((seed >> 32) ^ (seed << 10) ^ seed) & MASK
        self.parts = [folded + floor if folded < floor else folded for floor in FLOORS]

    def draw(self) -> int:
        value = 0
        for index, (a, b, c, d) in enumerate(STEPS):
            part = self.parts[index]
            part = ((part & c) << d & MASK) ^ (((part << a & MASK) ^ part) >> b)
            self.parts[index] = part
            value ^= part
        return value


def delay_ns(generator: Generator, mean: int, jitter: int, distribution: str) -> int:
    """Return the delay of the next packet."""
    if jitter == 0:
        return mean
    drawn = generator.draw()
    if distribution == "uniform":
        return drawn % (2 * jitter) + mean - jitter
    values = table(distribution)
    entry = values[drawn % len(values)]
    part = (jitter % SCALE) * entry
    part = part + SCALE // 2 if part >= 0 else part - SCALE // 2
    towards_zero = abs(part) // SCALE * (1 if part >= 0 else -1)
    return towards_zero + (jitter // SCALE) * entry + mean


def random_losses(generator: Generator, odds: int, packets: int) -> list[bool]:
    return [odds >= generator.draw() for _ in range(packets)]


def burst_losses(generator: Generator, odds: GilbertElliottOdds, packets: int) -> list[bool]:
    """Return which packets the Gilbert-Elliott chain drops, from its good state on.

    The chain moves on before the packet, but the packet meets the state it came from.
    """
    bad = False
    lost = []
    for _ in range(packets):
        move, drop = generator.draw(), generator.draw()
        if bad:
            bad = move >= odds.leave_bad
            lost.append(drop > odds.keep_in_bad)
        else:
            bad = move < odds.enter_bad
            lost.append(drop < odds.lose_in_good)
    return lost
