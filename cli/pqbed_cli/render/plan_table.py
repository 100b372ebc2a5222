"""A plan and its estimate, as text and as JSON."""

from typing import Any

from pqbed.spec.axes import AXES, Axis, axes_shown
from pqbed.spec.grid import values_in
from pqbed.spec.json_codec import to_json
from pqbed.spec.link_presets import said_by_all, value_texts
from pqbed.spec.named_link import NamedLink
from pqbed.spec.sweep import Sweep
from pqbed.units import format_percentage
from pqbed_cli.flags import Form
from pqbed_cli.render.number_format import span
from pqbed_cli.render.streams import beside, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import PlanEstimate, Preview


def print_preview(preview: Preview, form: Form) -> None:
    if form == "json":
        print_json(_to_program(preview))
        return
    say = beside(form)
    say(f"bed: {preview.bed_reason}")
    print_tables([plan_table(preview.settled.sweep)], form)
    say("")
    say(estimate_line(preview.estimate))


def plan_table(sweep: Sweep) -> Table:
    """Return the axes of `sweep` and their values."""
    arms = {
        "profile": [profile.name for profile in sweep.profiles],
        "A/A arm": [arm.name for arm in sweep.arms if arm.copy_of],
    }
    axes = {axis.label: list(map(axis.format, axis.values(sweep))) for axis in axes_shown() if _is_said(axis, sweep)}
    axes = {name: values for name, values in (arms | axes).items() if values}
    rows = [(name, str(len(values)), ", ".join(values)) for name, values in axes.items()]
    links = [(f"  {link.name}", "", _link_text(link)) for link in sweep.links]
    place = next((place for place, (name, *_) in enumerate(rows, 1) if name == AXES["link"].label), 0)
    return Table(columns=("axis", "n", "values"), rows=(*rows[:place], *links, *rows[place:]), numeric=(1,))


def _link_text(link: NamedLink) -> str:
    """Return the values that a named link has of its own."""
    return ", ".join(f"{AXES[option].label} {text}" for option, text in value_texts(link).items())


def _is_said(axis: Axis, sweep: Sweep) -> bool:
    """Return whether a quiet axis, or one that needs another, has something to say that no named link says."""
    if axis.option in said_by_all(sweep.links):
        return False
    if axis.needs:
        needed = AXES[axis.needs]
        return values_in(needed, sweep) != (needed.usual,)
    return not axis.quiet or axis.values(sweep) != (axis.usual,)


def estimate_line(estimate: PlanEstimate) -> str:
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


def _staged_line(most: PlanEstimate, least: PlanEstimate) -> str:
    """Return the estimate of a sweep that ends when it is precise."""
    grid = f"{_counted(most.cells, 'cell')} x {least.samples} to {_counted(most.samples, 'sample')}"
    aim = f"until each increase at p50 is known to ±{format_percentage(most.precision_ppm or 0)}"
    fetches = f"{least.fetches} to {_counted(most.fetches, 'fetch', 'fetches')} on {_counted(most.lanes, 'lane')}"
    return f"{grid}, {aim}: {fetches}, {span(least.seconds)} to about {span(most.seconds)}"


def _counted(count: int, noun: str, many: str = "") -> str:
    return f"{count} {noun if count == 1 else many or noun + 's'}"


def _to_program(preview: Preview) -> dict[str, Any]:
    """Return the estimate, how it is run, and every cell by its id."""
    settled = preview.settled
    return {
        "estimate": to_json(preview.estimate),
        "run": to_json(settled.options),
        "sweep": to_json(settled.sweep),
        "cells": {cell_id: to_json(cell) for cell_id, cell in settled.plan.cells.items()},
    }
