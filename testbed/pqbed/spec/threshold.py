"""Thresholds: what a measured value may or must not be, as typed, under which conditions.

`pq.ttlb.p90.increase > 5% at size=50KiB, rtt=200ms`: a profile (all, if left out), a metric, its percentile, whether
the increase over the baseline is meant, a comparison, and values of axes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pqbed.errors import SpecError
from pqbed.spec import value_parsers
from pqbed.spec.axes import AXES
from pqbed.spec.cell import Cell
from pqbed.spec.metric import QUANTITIES
from pqbed.spec.name_suggestions import known_name, likely
from pqbed.units import format_duration, parse_duration, parse_size

Operator = Literal[">", "<"]
Unit = Literal["ns", "%", "count", "bytes"]

# Metric -> what it is measured in. Those of samples have percentiles, the others are one number of a cell.
TIMES = ("ttlb", "first_byte", "handshake", "connect")
COUNTS = ("retransmits", "lost")
OF_CELLS: Mapping[str, Unit] = {"failures": "count", "bytes": "bytes"}
METRICS: Mapping[str, Unit] = {**dict.fromkeys(TIMES, "ns"), **dict.fromkeys(COUNTS, "count"), **OF_CELLS}

DEFAULT_PERCENTILE = 50.0
MOST_CHARACTERS = 200
_EXAMPLE = 'write it like "pq.ttlb.p90.increase > 5% at size=50KiB, rtt=200ms"'
_FORM = re.compile(r"(?P<quantity>[^<>]*?)\s*(?P<operator>[<>])\s*(?P<limit>\S+?)(?:\s+at\s+(?P<where>.*))?")
_QUANTITY = re.compile(
    r"(?:(?P<profile>.+)\.)?(?P<metric>(?!increase)[a-z_]+)(?:\.p(?P<percentile>\d+(?:\.\d+)?))?(?P<increase>\.increase)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One threshold. `text` says it with all units; `required`: it must hold, otherwise it must not.

    `limit` is in ns, a count or bytes; in per cent if `unit` says so. `percentile` is None for metrics of a cell.
    `where` has the values allowed of each axis by option.
    """

    text: str
    required: bool
    profile: str | None
    metric: str
    percentile: float | None
    increase: bool
    operator: Operator
    limit: float
    unit: Unit
    where: Mapping[str, Sequence[Any]]

    @property
    def fails_above(self) -> bool:
        """Return whether values above the limit, not those below, are what it rules out."""
        return (self.operator == ">") != self.required

    def concerns(self, cell: Cell) -> bool:
        """Return whether it is about `cell`. The A/A arm is never meant, it stands for noise."""
        return (
            cell.profile.copy_of is None
            and self.profile in (None, cell.profile.name)
            and all(AXES[option].value(cell) in values for option, values in self.where.items())
        )


def parse_threshold(text: str, *, required: bool, bare: bool = True) -> Threshold:
    """Read a threshold; `bare`: values of axes may stand without units. Raises SpecError."""
    flag = "--require" if required else "--fail-if"
    with value_parsers.naming(flag if bare else f"thresholds.{flag.removeprefix('--').replace('-', '_')}"):
        if len(text) > MOST_CHARACTERS:
            raise SpecError(f"a threshold has at most {MOST_CHARACTERS} characters", _EXAMPLE)
        form = _FORM.fullmatch(text.strip())
        quantity = form and _QUANTITY.fullmatch(form["quantity"])
        if not form or not quantity:
            raise SpecError(f"{text!r} is not a threshold", _EXAMPLE)
        metric = known_name(QUANTITIES.get(quantity["metric"], quantity["metric"]), METRICS, "metric")
        percentile = _percentile(metric, quantity["percentile"])
        increase = quantity["increase"] is not None
        if increase and metric not in TIMES:
            raise SpecError(f"there is no increase of {metric}", f"increases are those of {', '.join(TIMES)}")
        limit, unit = _limit(form["limit"], metric, increase=increase)
        where = _where(form["where"], bare=bare)
        return Threshold(
            text=f"{form['quantity']} {form['operator']} {form['limit']}{_word_where(where)}",
            required=required,
            profile=quantity["profile"],
            metric=metric,
            percentile=percentile,
            increase=increase,
            operator=">" if form["operator"] == ">" else "<",
            limit=limit,
            unit=unit,
            where=where,
        )


def word_value(value: float, unit: Unit) -> str:
    """Return a measured value in the unit of a threshold: `5.1%`, `812.4ms`, `3`."""
    match unit:
        case "ns":
            return f"{value / 1e6:.4g}ms" if value < 1e9 else f"{value / 1e9:.4g}s"
        case "%":
            return f"{value:.1f}%"
        case _:
            return f"{value:g}"


def refuse_unmeasured(thresholds: Sequence[Threshold], cells: Sequence[Cell], baseline: str) -> None:
    """Raise SpecError for a threshold that none of `cells` is concerned by."""
    profiles = dict.fromkeys(cell.profile.name for cell in cells if cell.profile.copy_of is None)
    for threshold in thresholds:
        if threshold.profile is not None and threshold.profile not in profiles:
            hint = likely(threshold.profile, profiles)
            raise SpecError(
                f"no cell has the profile of {threshold.text!r}", f"{hint}the profiles are {', '.join(profiles)}"
            )
        if threshold.increase and (threshold.profile == baseline or len(profiles) == 1):
            raise SpecError(
                f"{threshold.text!r} compares {baseline} with itself", "name another profile, or measure one"
            )
        if not any(threshold.concerns(cell) for cell in cells):
            raise SpecError(f"no cell has the conditions of {threshold.text!r}", "choose among the values of the axes")


def _percentile(metric: str, text: str | None) -> float | None:
    if metric in OF_CELLS:
        if text is not None:
            raise SpecError(f"{metric} has no percentiles", f"write {metric} alone")
        return None
    percentile = DEFAULT_PERCENTILE if text is None else float(text)
    if not 0 < percentile < 100:
        raise SpecError(f"p{text} is not a percentile", "take one between 0 and 100, for example p90")
    return percentile


def _limit(text: str, metric: str, *, increase: bool) -> tuple[float, Unit]:
    """Return the limit and its unit: per cent for increases and shares of failures."""
    unit = METRICS[metric]
    if increase or (metric == "failures" and text.endswith("%")):
        return _number(text.removesuffix("%"), f"{text!r} is not a percentage", "write it like 5%"), "%"
    if unit == "ns":
        return float(_time(text)), unit
    if unit == "bytes":
        return float(text if text.isdecimal() else parse_size(text, bare=None)), unit
    return _number(text, f"{text!r} is not a count", "write a number"), unit


def _time(text: str) -> int:
    try:
        return parse_duration(text, bare=None)
    except SpecError:
        example = format_duration(800_000_000)
        raise SpecError(f"{text!r} is not a time", f"write it with its unit, like {example}") from None


def _number(text: str, wrong: str, hint: str) -> float:
    if re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", text) is None:
        raise SpecError(wrong, hint)
    return float(text)


def _word_where(where: Mapping[str, Sequence[Any]]) -> str:
    words = [f"{option}={AXES[option].format(value)}" for option, values in where.items() for value in values]
    return f" at {', '.join(words)}" if words else ""


def _where(text: str | None, *, bare: bool) -> dict[str, tuple[Any, ...]]:
    """Return the values of each axis that is named; an axis may be named again, for another value."""
    if text is None:
        return {}
    where: dict[str, tuple[Any, ...]] = {}
    for pair in text.split(","):
        name, equals, value = (part.strip() for part in pair.partition("="))
        option = known_name(name.replace("-", "_"), AXES, "axis")
        if not equals or not value:
            raise SpecError(f"{pair.strip()!r} gives no value", f"write it like {option}=VALUE")
        where[option] = (*where.get(option, ()), AXES[option].parse(value, bare))
    return where
