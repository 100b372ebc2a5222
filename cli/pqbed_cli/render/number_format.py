"""Measured values as text for tables. Nothing here is parsed back."""

import math

from pqbed.spec.metric import Metric

NS_PER_MS = 1_000_000
NONE = "-"


def milliseconds(value_ns: float | None, none: str = NONE) -> str:
    """Return ms with two places below 100 ms and one above: a TTLB is seldom known better."""
    if value_ns is None or math.isnan(value_ns):
        return none
    value = value_ns / NS_PER_MS
    return f"{value:.1f}" if value >= 100 else f"{value:.2f}"


def measured(value: float | None, metric: Metric, none: str = NONE) -> str:
    """Return a value of `metric`, as it is stored, in its unit."""
    if metric.unit == "ms":
        return milliseconds(value, none)
    return none if value is None or math.isnan(value) else f"{round(value, 1):,g}"


def noise(percent: float | None) -> str:
    """Return a noise floor: `±0.3%`."""
    return NONE if percent is None else f"±{percent:.1f}%"


def increase(percent: float | None, low: float | None, high: float | None) -> str:
    """Return an increase with its interval, if there is one: `+24.1% (23.8 to 24.4)`."""
    if percent is None or math.isnan(percent):
        return NONE
    text = f"{round(percent, 1) + 0.0:+.1f}%"  # never -0.0
    if low is None or high is None:
        return text
    return f"{text} ({low:.1f} to {high:.1f})"


def span(seconds: float) -> str:
    """Return a length of time for people: `40 s`, `4 min`, `2 h 10 min`."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
