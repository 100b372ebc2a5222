"""Verdict on one threshold in one cell, from a value and its 95% interval."""

import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pqbed.spec.threshold import Threshold, word_value

Status = Literal["held", "undecided", "unknown", "violated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with the ends of its 95% interval, in the unit of its threshold. NaN: not known; infinite: censored.

    `noise`: the noise floor of an increase; 0 for anything else. `exact` values have no interval.
    """

    value: float
    low: float
    high: float
    noise: float = 0.0

    @classmethod
    def exact(cls, value: float) -> "Estimate":
        return cls(value=value, low=value, high=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdVerdict:
    """`status` of `threshold` in the cell `cell_id`, whose conditions are `where` in words.

    - `violated`: the whole interval says so, and for an increase the value less the noise floor;
    - `held`: the whole interval is on the right side;
    - `undecided`: the interval has both, or no far end; noise alone could have done it, so this breaks no build;
    - `unknown`: the interval has no near end, so the samples can never decide, for the reason `why`.
    """

    threshold: Threshold
    cell_id: str
    profile: str
    where: str
    estimate: Estimate
    status: Status
    why: str = ""

    @property
    def measured(self) -> str:
        """Return the value in words: `5.3% (5.1% to 5.6%)`, or why there is none."""
        if self.status == "unknown":
            return self.why
        values = (self.estimate.value, self.estimate.low, self.estimate.high)
        words = [_word(value, self.threshold) for value in values]
        return words[0] if len(set(values)) == 1 else f"{words[0]} ({words[1]} to {words[2]})"


def decide(estimate: Estimate, threshold: Threshold) -> Status:
    """Return what `estimate` says of `threshold`. The near end of the interval decides, so noise alone does not."""
    sign = 1 if threshold.fails_above else -1
    ends = (estimate.low, estimate.high) if threshold.fails_above else (estimate.high, estimate.low)
    near, far, limit = (sign * value for value in (*ends, threshold.limit))
    if math.isnan(near):
        return "unknown"
    beyond = operator.ge if threshold.required else operator.gt
    # Equal arms differ by as much as the noise floor: without it an increase must still be beyond the limit.
    if beyond(near, limit) and beyond(sign * estimate.value - estimate.noise, limit):
        return "violated"
    return "held" if far <= limit else "undecided"


def breaks_gate(verdicts: Iterable[ThresholdVerdict]) -> bool:
    """Return whether a build fails: by what is violated, and by what the samples can never decide."""
    return any(verdict.status in ("violated", "unknown") for verdict in verdicts)


def _word(value: float, threshold: Threshold) -> str:
    return word_value(value, threshold.unit) if math.isfinite(value) else "no end"
