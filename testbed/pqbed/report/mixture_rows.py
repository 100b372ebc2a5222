"""Mixtures in words, for the table of the report: what tells them apart, their values and their parts."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pqbed.report.varying_axes import Axes
from pqbed.spec.axes import AXES
from pqbed.spec.metric import Metric
from pqbed.spec.mixture import PPM, PROFILE
from pqbed.stats.mixtures import Mixed, Part
from pqbed.units import format_percentage, format_size

MIXED = "mixed"
# A mixture of more parts than these is shown whole.
MOST_PARTS = 4
_NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureRow:
    """A row of the table: a mixture, or one of its parts. `values` and `increases` are as many as statistics."""

    where: str
    arm: str
    part: str
    share: str
    values: tuple[str, ...]
    increases: tuple[str, ...]
    finding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureTable:
    title: str
    names: tuple[str, ...]
    rows: tuple[MixtureRow, ...]


def tabulate_mixtures(mixed: Sequence[Mixed], axes: Axes, metric: Metric) -> list[MixtureTable]:
    """Return a table for each mixture by name."""
    names = list(dict.fromkeys(one.mixture.name for one in mixed))
    tables = []
    for name in names:
        members = [one for one in mixed if one.mixture.name == name]
        tables.append(
            MixtureTable(
                title=f"{name}: {members[0].mixture.describe()}",
                names=tuple(statistic.name for statistic in members[0].statistics),
                rows=tuple(row for one in members for row in _rows(one, axes, metric)),
            )
        )
    return tables


def place_of(one: Mixed, axes: Axes) -> str:
    """Return what tells the conditions of a mixture apart, without what it mixes: `rtt 35ms, 50KiB`."""
    mixed = {AXES[option].label for option in one.mixture.options if option != PROFILE}
    if "link" in mixed:
        mixed |= {axis.label for axis in AXES.values() if axis.part == "link"}
    title = axes.title(one.row, [name for name in axes.varying if name not in mixed])
    size = "" if "size" in mixed else format_size(one.row["size_bytes"])
    return ", ".join(filter(None, (title, size)))


def part_change(part: Part, name: str) -> float | None:
    """Return by how many per cent a part is above the baseline's; None if that is not known."""
    if part.base_values is None or not part.base_values.get(name):
        return None
    return known(100 * (part.values[name] / part.base_values[name] - 1))


def known(value: float) -> float | None:
    """Return a number that can be shown: None for NaN and for a censored value."""
    return value if math.isfinite(value) else None


def _rows(one: Mixed, axes: Axes, metric: Metric) -> Iterator[MixtureRow]:
    where = place_of(one, axes)
    changes = [statistic.increase for statistic in one.statistics]
    yield MixtureRow(
        where=where,
        arm=one.arm,
        part=MIXED,
        share="",
        values=tuple(
            _with_ends(_value(statistic.estimate.point, metric), statistic.estimate.interval, metric)
            for statistic in one.statistics
        ),
        increases=tuple(
            "" if change is None else _change(change.point, (change.low, change.high)) for change in changes
        ),
        finding=one.statistics[0].finding or "",
    )
    for part in one.parts if len(one.parts) <= MOST_PARTS else ():
        names = [statistic.name for statistic in one.statistics]
        yield MixtureRow(
            where=where,
            arm=one.arm,
            part=part.text,
            share=format_percentage(round(part.share * PPM)),
            values=tuple(_value(part.values.get(name, math.nan), metric) for name in names),
            increases=tuple(
                "" if (change := part_change(part, name)) is None else _change(change, None) for name in names
            ),
            finding="",
        )


def _value(value: float, metric: Metric) -> str:
    return f"{value / metric.scale:,.1f}" if math.isfinite(value) else _NONE


def _with_ends(text: str, interval: tuple[float, float] | None, metric: Metric) -> str:
    if interval is None or text == _NONE:
        return text
    return f"{text} [{_value(interval[0], metric)}, {_value(interval[1], metric)}]"


def _change(percent: float, ends: tuple[float, float] | None) -> str:
    if not math.isfinite(percent):
        return _NONE
    text = f"{round(percent, 1) + 0.0:+.1f}%"
    return text if ends is None or not all(map(math.isfinite, ends)) else f"{text} [{ends[0]:.1f}, {ends[1]:.1f}]"
