"""Classification of a difference between two arms by one of four findings.

- `equivalent`: its 90% interval lies inside the margin on both sides. That is two one-sided tests at 5% (Schuirmann
  1987): if the true difference were as large as the margin, at most 5% of runs would be called equivalent. It takes
  precedence: a difference too small to matter is that, whether it is significant or not.
- `within noise`: it is no larger than the noise floor, so nothing is claimed.
- `differs`: its 95% interval excludes zero by more than the precision of timings, and it is above the noise floor.
- `undecided`: none of these, or too few samples for an interval.

The noise floor is the largest difference between two copies of one arm under the same conditions, at 95%.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from pqbed.errors import SpecError
from pqbed.stats.increases import Increase
from pqbed.units import format_duration, format_percentage, parse_duration, parse_percentage

Finding = Literal["differs", "equivalent", "within noise", "undecided"]
FINDINGS: tuple[Finding, ...] = get_args(Finding)

# Timings are stored with more digits than they are accurate: anything smaller counts as zero.
NEGLIGIBLE_PCT = 0.05
# Error rates of `differs` for equal arms (simulated, docs/design/dd-012): beside a noise floor at most this; without
# one the 95% interval decides alone, and its error is the nominal one.
FALSE_DIFFERS = 0.01
FALSE_DIFFERS_WITHOUT_FLOOR = 0.05
PPM_PER_PERCENT = 10_000
_HINT = "give a percentage or a time, for example 1%, 0.5% or 5ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """A difference too little to matter: `amount` in ppm of the baseline's time, or in ns."""

    amount: int
    unit: Literal["ppm", "ns"] = "ppm"

    def __str__(self) -> str:
        return format_percentage(self.amount) if self.unit == "ppm" else format_duration(self.amount)


DEFAULT_MARGIN = Margin(amount=PPM_PER_PERCENT)


def parse_margin(text: str) -> Margin:
    """Parse `1%`, `0.5` (per cent) or `5ms`. Raises SpecError."""
    relative = text.strip().lower().endswith(("%", "ppm")) or text.strip().replace(".", "", 1).isdecimal()
    try:
        amount = parse_percentage(text, bare="%") if relative else parse_duration(text)
    except SpecError as error:
        raise SpecError(f"--margin: {error.message}", _HINT) from error
    if amount == 0:
        raise SpecError("--margin must be greater than 0", _HINT)
    return Margin(amount=amount, unit="ppm" if relative else "ns")


def noise_floor(again: Increase | None) -> float:
    """Return the largest difference of the A/A arm from its original, in per cent, in either direction.

    NaN without an A/A arm; infinite if it has too few samples, or too few that succeeded, for an interval.
    """
    if again is None:
        return math.nan
    ends = (again.point, again.low, again.high)
    return max(map(abs, ends)) if all(map(math.isfinite, ends)) else math.inf


def classify_difference(increase: Increase, noise_pct: float, margin: Margin) -> Finding:
    """Return the finding of `increase`. `noise_pct` as returned by `noise_floor`; NaN: no noise floor."""
    if _inside(increase, margin):
        return "equivalent"
    if math.isinf(noise_pct) or (math.isnan(increase.low) and math.isnan(increase.high)):
        return "undecided"
    if abs(increase.point) <= noise_pct:
        return "within noise"
    return "differs" if increase.low > NEGLIGIBLE_PCT or increase.high < -NEGLIGIBLE_PCT else "undecided"


def expected_false_differs(noise_pct: Iterable[float | None]) -> float:
    """Return how many of these comparisons of equal arms would be called `differs`; None or NaN: no noise floor."""
    return sum(
        FALSE_DIFFERS_WITHOUT_FLOOR if floor is None or math.isnan(floor) else FALSE_DIFFERS for floor in noise_pct
    )


def _inside(increase: Increase, margin: Margin) -> bool:
    if margin.unit == "ns":
        low, high, reach = *increase.inner_ns, float(margin.amount)
    else:
        low, high, reach = *increase.inner_pct, margin.amount / PPM_PER_PERCENT
    return -reach < low <= high < reach
