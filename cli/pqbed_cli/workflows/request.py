"""What was asked of `sweep` and `plan`: flags over a sweep file or a preset over the defaults, as one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pqbed.errors import SpecError
from pqbed.spec.options import RunOptions
from pqbed.spec.presets import preset
from pqbed.spec.sweep import Sweep
from pqbed.spec.text import read_spec, samples_given, sweep_from

# What says how to run, not what to measure: a table of its own in a sweep file.
RUN_OPTIONS = ("bed", "clock", "lanes", "out", "calibrate", "guard")
# What else `sweep` and `plan` take: not part of the request.
OTHERS = ("spec", "preset", "resume", "json_output", "ca_bundle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`samples_chosen`: the samples were named; otherwise the bed's speed decides (`with_samples`)."""

    sweep: Sweep
    options: RunOptions
    samples_chosen: bool


def read_request(typed: Mapping[str, Any]) -> Request:
    """Read the parameters of a command as Typer gives them, by name. Raises SpecError."""
    under = _under(typed.get("spec"), typed.get("preset"))
    raw = layer(typed)
    sweep, options = sweep_from(raw, bare=True, under=under)
    return Request(sweep=sweep, options=options, samples_chosen=samples_given(raw, under))


def layer(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed in the form of a sweep file."""
    given = {name: value for name, value in typed.items() if value is not None and name not in OTHERS}
    run = {name: given.pop(name) for name in RUN_OPTIONS if name in given}
    return {**given, **({"run": run} if run else {})}


def with_samples(request: Request, samples: int) -> Request:
    """Return `request` with as many samples as its bed can afford."""
    return replace(request, sweep=replace(request.sweep, samples=samples), samples_chosen=True)


def _under(spec: Path | None, name: str | None) -> dict[str, Any] | None:
    if spec is not None and name is not None:
        raise SpecError("--spec and --preset both name a sweep to start from", "give one of them")
    if spec is not None:
        return read_spec(spec)
    return preset(name) if name is not None else None
