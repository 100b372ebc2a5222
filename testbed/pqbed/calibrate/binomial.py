"""The exact (Clopper-Pearson) interval of a share. Standard library only."""

import math
from collections.abc import Callable

STEPS = 60


def share_interval(hits: int, of: int, certainty: float) -> tuple[float, float]:
    """Return the shares that `hits` of `of` do not contradict; a true share lies outside with `certainty` at most."""
    if of == 0:
        return 0.0, 1.0
    tail = certainty / 2
    low = 0.0 if hits == 0 else _rising(lambda share: 1 - at_most(hits - 1, of, share), tail)
    high = 1.0 if hits == of else _rising(lambda share: 1 - at_most(hits, of, share), 1 - tail)
    return low, high


def at_most(hits: int, of: int, share: float) -> float:
    """Return how likely it is to see no more than `hits` of `of`."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return float(hits >= of)
    logs = (math.log(share), math.log1p(-share), math.lgamma(of + 1))
    terms = (
        logs[2] - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * logs[0] + (of - k) * logs[1]
        for k in range(hits + 1)
    )
    return min(1.0, math.fsum(map(math.exp, terms)))


def _rising(function: Callable[[float], float], wanted: float) -> float:
    """Return where a function that rises from 0 to 1 takes the value `wanted`."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < wanted else (low, middle)
    return (low + high) / 2
