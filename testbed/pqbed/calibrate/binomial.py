"""Exact (Clopper-Pearson) confidence interval of a binomial proportion. Standard library only."""

import math
from collections.abc import Callable

BISECTION_STEPS = 60


def proportion_interval(successes: int, trials: int, alpha: float) -> tuple[float, float]:
    """Return the 1 - `alpha` confidence interval: the true proportion lies outside it with probability alpha at most.

    Clopper and Pearson, Biometrika 26 (1934).
    """
    if trials == 0:
        return 0.0, 1.0
    tail = alpha / 2
    low = 0.0 if successes == 0 else _solve(lambda p: 1 - cumulative(successes - 1, trials, p), tail)
    high = 1.0 if successes == trials else _solve(lambda p: 1 - cumulative(successes, trials, p), 1 - tail)
    return low, high


def cumulative(successes: int, trials: int, p: float) -> float:
    """Return the probability of at most `successes` in `trials` of probability `p`."""
    if p <= 0:
        return 1.0
    if p >= 1:
        return float(successes >= trials)
    log_p, log_q, log_trials = math.log(p), math.log1p(-p), math.lgamma(trials + 1)
    terms = (
        log_trials - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * log_p + (trials - k) * log_q
        for k in range(successes + 1)
    )
    return min(1.0, math.fsum(map(math.exp, terms)))


def _solve(function: Callable[[float], float], value: float) -> float:
    """Return where a function that rises from 0 to 1 over [0, 1] reaches `value`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(BISECTION_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < value else (low, middle)
    return (low + high) / 2
