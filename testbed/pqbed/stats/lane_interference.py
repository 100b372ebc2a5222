"""Lane check: whether parallel lanes slow one another down, by the same fetches on one lane and on several."""

import math

import numpy as np

from pqbed.stats.quantiles import Floats, quantile, quantile_interval
from pqbed.store.manifest import LaneTrial

P50_MOST_PCT = 1.0


def compare_lanes(alone: Floats, together: Floats, lanes: int) -> LaneTrial:
    """Compare TTLBs in ns (infinite: failed) of one lane alone with those of `lanes` lanes at once.

    They agree if the medians are within 1% and p90 of the lanes together is not above its 95% interval on one lane
    alone; below 36 fetches that interval has no upper end, and only the medians count.
    """
    single, many = np.sort(alone), np.sort(together)
    p50, p50_together = quantile(single, 0.5), quantile(many, 0.5)
    change = 100 * (p50_together / p50 - 1) if math.isfinite(p50) and math.isfinite(p50_together) else math.inf
    _, high = quantile_interval(single, 0.9)
    p90 = quantile(many, 0.9)
    slower = math.isfinite(high) and p90 > high
    return LaneTrial(
        lanes=lanes,
        agrees=abs(change) <= P50_MOST_PCT and not slower,
        p50_change_pct=_known(change),
        p90_ns=_known(p90),
        p90_alone_high_ns=_known(high),
    )


def _known(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None
