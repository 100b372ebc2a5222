"""What `plan` prints, and `sweep` before it starts."""

from typing import Any

from pqbed.spec.axes import AXES, Axis, axes_shown
from pqbed.spec.codec import to_json
from pqbed.spec.sweep import Sweep
from pqbed.units import format_percentage
from pqbed_cli.planning import Estimate, Settled
from pqbed_cli.render.numbers import span
from pqbed_cli.render.table import Table


def plan_table(sweep: Sweep) -> Table:
    """Return the axes of `sweep` and their values."""
    arms = {
        "profile": [profile.name for profile in sweep.profiles],
        "A/A arm": [arm.name for arm in sweep.arms if arm.copy_of],
    }
    axes = {axis.label: list(map(axis.format, axis.values(sweep))) for axis in axes_shown() if _is_said(axis, sweep)}
    axes = {name: values for name, values in (arms | axes).items() if values}
    rows = tuple((name, str(len(values)), ", ".join(values)) for name, values in axes.items())
    return Table(columns=("axis", "n", "values"), rows=rows, numeric=(1,))


def _is_said(axis: Axis, sweep: Sweep) -> bool:
    """Return whether a quiet axis, or one that needs another, has something to say."""
    asked = AXES[axis.needs] if axis.needs else axis
    return not (axis.quiet or axis.needs) or asked.values(sweep) != (asked.usual,)


def estimate_line(estimate: Estimate) -> str:
    """Return the estimate in one line."""
    if estimate.least is not None:
        return _staged_line(estimate, estimate.least)
    grid = f"{_counted(estimate.cells, 'cell')} x {_counted(estimate.samples, 'sample')}"
    fetches = f"{_counted(estimate.fetches, 'fetch', 'fetches')} on {_counted(estimate.lanes, 'lane')}"
    about = "" if estimate.seconds < 1 else "about "
    links = ""
    if estimate.calibration_seconds >= 1:
        links = f", of which {span(estimate.calibration_seconds)} to calibrate {_counted(estimate.links, 'link')}"
    return f"{grid}: {fetches}, {about}{span(estimate.seconds)}{links}"


def _staged_line(most: Estimate, least: Estimate) -> str:
    """Return the estimate of a sweep that ends when it is precise."""
    grid = f"{_counted(most.cells, 'cell')} x {least.samples} to {_counted(most.samples, 'sample')}"
    aim = f"until each increase at p50 is known to ±{format_percentage(most.precision_ppm or 0)}"
    fetches = f"{least.fetches} to {_counted(most.fetches, 'fetch', 'fetches')} on {_counted(most.lanes, 'lane')}"
    return f"{grid}, {aim}: {fetches}, {span(least.seconds)} to about {span(most.seconds)}"


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def plan_json(settled: Settled, estimate: Estimate) -> dict[str, Any]:
    """Return the plan for programs: the estimate, how it is run, and every cell by its id."""
    return {
        "estimate": to_json(estimate),
        "run": to_json(settled.request.options),
        "sweep": to_json(settled.request.sweep),
        "cells": {identity: to_json(cell) for identity, cell in settled.plan.cells.items()},
    }
