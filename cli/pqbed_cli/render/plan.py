"""What `plan` prints, and `sweep` before it starts."""

from collections.abc import Sequence
from typing import Any

from pqbed.spec.codec import to_json
from pqbed.spec.link import DEFAULT_LAYOUT
from pqbed.spec.parse import SAME, format_bandwidth_up, format_loss, format_queue
from pqbed.spec.sweep import Sweep
from pqbed.spec.tcp import Tcp
from pqbed.units import format_duration, format_percentage, format_rate, format_size
from pqbed_cli.planning import Estimate, Settled
from pqbed_cli.render.numbers import span
from pqbed_cli.render.table import Table


def plan_table(sweep: Sweep) -> Table:
    """Return the axes of `sweep` and their values."""
    axes: dict[str, Sequence[str]] = {
        "profile": [profile.name for profile in sweep.profiles],
        "A/A arm": [arm.name for arm in sweep.arms if arm.copy_of],
        "rtt": [format_duration(value) for value in sweep.rtt_ns],
        "bandwidth": [format_rate(value) for value in sweep.bandwidth_bps],
        "bandwidth up": [format_bandwidth_up(value) for value in sweep.bandwidth_up_bps],
        "loss": [format_loss(value) for value in sweep.loss],
        "loss up": [SAME if value is None else format_loss(value) for value in sweep.loss_up],
        "jitter": [format_duration(value) for value in sweep.jitter_ns],
        "distribution": list(sweep.distribution),
        "size": [format_size(value) for value in sweep.size_bytes],
        "initcwnd": [str(value) for value in sweep.initcwnd],
        "initcwnd client": [str(value or SAME) for value in sweep.initcwnd_client],
        "congestion control": list(sweep.congestion_control),
        "congestion control client": [value or SAME for value in sweep.congestion_control_client],
        "queue": [format_queue(value) for value in sweep.queue_packets],
        "segmentation": list(sweep.segmentation),
        "layout": list(sweep.layout),
        "http": list(sweep.http),
    }
    if not any(sweep.jitter_ns):
        del axes["distribution"]
    if sweep.congestion_control == (Tcp().congestion_control,):
        del axes["congestion control"]
    if sweep.layout == (DEFAULT_LAYOUT,):
        del axes["layout"]
    if sweep.http == ("1.1",):
        del axes["http"]
    axes = {name: values for name, values in axes.items() if values not in ([SAME], [])}
    rows = tuple((name, str(len(values)), ", ".join(values)) for name, values in axes.items())
    return Table(columns=("axis", "n", "values"), rows=rows, numeric=(1,))


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
