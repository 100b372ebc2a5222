"""What a difference between two arms amounts to: one of four words, decided here and nowhere else.

- `equivalent`: its 90 % interval lies inside the margin on both sides. That is two one-sided tests at 5 % (Schuirmann
  1987): were the true difference as large as the margin, this would be said 5 times of 100 at most. It comes first:
  too little to matter is too little, whether it is surely there or not.
- `within noise`: it is no larger than the noise floor, so nothing is claimed.
- `differs`: its 95 % interval leaves out zero, by more than timings are known, and it is above the noise floor.
- `undecided`: none of these, or too few samples for an interval.

The noise floor is the most by which two copies of one arm differ under the same conditions, at 95 %.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from pqbed.errors import SpecError
from pqbed.stats.increases import Increase
from pqbed.units import format_duration, format_percentage, parse_duration, parse_percentage

Finding = Literal["differs", "equivalent", "within noise", "undecided"]
FINDINGS: tuple[Finding, ...] = get_args(Finding)

# Timings are stored far finer than they are known: what is below this is nothing.
NEGLIGIBLE_PCT = 0.05
PPM_PER_PERCENT = 10_000
_HINT = "give per cent or a time, for example 1%, 0.5% or 5ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """A difference too little to matter: `amount` in ppm of the baseline's time, or in ns."""

    amount: int
    unit: Literal["ppm", "ns"] = "ppm"

    def __str__(self) -> str:
        return format_percentage(self.amount) if self.unit == "ppm" else format_duration(self.amount)


DEFAULT_MARGIN = Margin(amount=PPM_PER_PERCENT)


def parse_margin(text: str) -> Margin:
    """Read `1%`, `0.5` (per cent) or `5ms`. Raises SpecError."""
    relative = text.strip().lower().endswith(("%", "ppm")) or text.strip().replace(".", "", 1).isdecimal()
    try:
        amount = parse_percentage(text, bare="%") if relative else parse_duration(text)
    except SpecError as error:
        raise SpecError(f"margin: {error.message}", _HINT) from error
    if amount == 0:
        raise SpecError("margin: nothing is less than 0, so no two arms would be equivalent", _HINT)
    return Margin(amount=amount, unit="ppm" if relative else "ns")


def noise_floor(again: Increase | None) -> float:
    """Return the most, in per cent and either way, by which the A/A arm differs from what it is a copy of.

    NaN without such an arm; infinite where too few of its fetches were taken, or succeeded, to bound it.
    """
    if again is None:
        return math.nan
    ends = (again.point, again.low, again.high)
    return max(map(abs, ends)) if all(map(math.isfinite, ends)) else math.inf


def find(increase: Increase, noise_pct: float, margin: Margin) -> Finding:
    """Return what `increase` amounts to. `noise_pct` as of `noise_floor`; NaN: there is none to compare with."""
    if _inside(increase, margin):
        return "equivalent"
    if math.isinf(noise_pct) or (math.isnan(increase.low) and math.isnan(increase.high)):
        return "undecided"
    if abs(increase.point) <= noise_pct:
        return "within noise"
    return "differs" if increase.low > NEGLIGIBLE_PCT or increase.high < -NEGLIGIBLE_PCT else "undecided"


def _inside(increase: Increase, margin: Margin) -> bool:
    if margin.unit == "ns":
        low, high, reach = *increase.inner_ns, float(margin.amount)
    else:
        low, high, reach = *increase.inner_pct, margin.amount / PPM_PER_PERCENT
    return -reach < low <= high < reach
