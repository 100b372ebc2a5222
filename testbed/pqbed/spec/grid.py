"""The grid of a sweep: every link, TCP setting and workload that its values lay out, in the order of the fetches."""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pqbed.spec.axes import AXES, PARTS, axes_shown
from pqbed.spec.axis import Axis, Part
from pqbed.spec.link import Link
from pqbed.spec.sweep import Sweep
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload

P = TypeVar("P", Link, Tcp, Workload)
Grid = dict[str, tuple[Any, ...]]

# How the grid nests the axes of the first runs, outermost first: the order of fetches depends on it. Axes that came
# later are nested outside these.
_NESTING = (
    *("layout", "segmentation", "queue", "distribution", "jitter"),
    *("bandwidth", "bandwidth_up", "rtt", "loss", "loss_up"),
    *("congestion_control", "congestion_control_client", "initcwnd", "initcwnd_client"),
    *("size", "http"),
)


def grids(part: Part, sweep: Sweep) -> list[Grid]:
    """Return the values of every axis of a part, by option: one grid for each named link, one without any."""
    own = {axis.option: axis.values(sweep) for axis in AXES.values() if axis.part == part}
    if part != "link" or not sweep.links:
        return [own]
    return [
        {**own, "link": (link.name,), **{option: (value,) for option, value in link.values.items()}}
        for link in sweep.links
    ]


def values_in(axis: Axis, sweep: Sweep) -> tuple[Any, ...]:
    """Return the values that `axis` has anywhere in the grid of `sweep`, those of named links included."""
    return tuple(dict.fromkeys(value for grid in grids(axis.part, sweep) for value in grid[axis.option]))


def count_parts(part: Part, sweep: Sweep) -> int:
    """Return how many links (or TCP settings, or workloads) the grid of `sweep` has, without laying them out."""
    return sum(math.prod(map(len, grid.values())) for grid in grids(part, sweep))


def lay_out(kind: type[P], sweep: Sweep) -> Iterator[P]:
    """Yield every `kind` (Link, Tcp or Workload) of the grid of `sweep`, in the order of the grid."""
    axes = sorted((axis for axis in AXES.values() if axis.part == PARTS[kind]), key=_nesting)
    order = {axis.option: place for place, axis in enumerate(axes)}
    setting = sorted(axes, key=lambda axis: bool(axis.of))  # what is said of both sides first
    for grid in grids(PARTS[kind], sweep):
        for values in itertools.product(*(grid[axis.option] for axis in axes)):
            chosen: dict[str, Any] = {}
            for axis in setting:
                chosen |= axis.assign(values[order[axis.option]], chosen)
            yield kind(**chosen)


def _nesting(axis: Axis) -> int:
    return _NESTING.index(axis.option) if axis.option in _NESTING else -1


def lay_over(part: P, values: Mapping[str, Any]) -> P:
    """Return `part` with `values` (by option) laid over it; options of other parts are passed over."""
    chosen = {field.name: getattr(part, field.name) for field in fields(part)}
    for axis in axes_shown():
        if axis.part == PARTS[type(part)] and axis.option in values:
            chosen |= axis.assign(values[axis.option], chosen)
    return type(part)(**chosen)
