"""The sweep that was requested: flags over a sweep file or a preset over the defaults, as one frozen value."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from pqbed.errors import SpecError
from pqbed.spec.presets import preset
from pqbed.spec.run_options import RUN_OPTIONS, RunOptions
from pqbed.spec.sweep import Sweep
from pqbed.spec.sweep_form import THRESHOLDS
from pqbed.spec.sweep_toml import SWEEP_KEYS, read_spec, samples_given, sweep_from
from pqbed.spec.value_parsers import naming, parse_count, spelled
from pqbed_cli.options import RequestOptions, StudyOptions, SweepOptions
from pqbed_cli.workflows.profile_shorthands import read_shorthands

# What may be given when a run is resumed: nothing that changes what is measured.
_RESUMABLE = frozenset(
    {"study", "resume", "ca_bundle", "out", "lanes", "lane_check", "cluster", "junit", "summary", "annotate"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`samples_chosen`: the samples were given; if not, the speed of the bed decides."""

    sweep: Sweep
    options: RunOptions
    samples_chosen: bool


def read_request(options: RequestOptions, under: Mapping[str, Any] | None = None) -> Request:
    """Return what `options` ask for, over `under` where they name no sweep to start from. Raises SpecError."""
    base = _base(options.spec, options.preset) or under
    typed = {**options.axes, **given(options, SWEEP_KEYS), **run_table(options), **_threshold_table(options)}
    sweep, run_options = sweep_from(typed, bare=True, under=base)
    return Request(sweep=sweep, options=run_options, samples_chosen=samples_given(typed, base))


def given(options: RequestOptions | StudyOptions, names: Collection[str]) -> dict[str, Any]:
    """Return the options that were given, of `names`."""
    values = {field.name: getattr(options, field.name) for field in fields(options) if field.name in names}
    return {name: value for name, value in values.items() if value is not None}


def run_table(options: RequestOptions | StudyOptions) -> dict[str, Any]:
    """Return the table `run` of a sweep file that says what was given; none if nothing was."""
    run = given(options, RUN_OPTIONS)
    return {"run": run} if run else {}


def _threshold_table(options: RequestOptions) -> dict[str, Any]:
    """Return the table `thresholds` of a sweep file that says what was given; none if nothing was."""
    table = given(options, THRESHOLDS)
    return {"thresholds": table} if table else {}


def refuse_changes(options: SweepOptions | StudyOptions) -> None:
    """Raise SpecError for an option that would change what a resumed run measures."""
    names = [field.name for field in fields(options) if field.name not in {"axes", *_RESUMABLE}]
    axes = list(options.axes) if isinstance(options, SweepOptions) else []
    for name in (*axes, *given(options, names)):
        flag = spelled(f"no_{name}" if getattr(options, name, None) is False else name, bare=True)
        raise SpecError(
            f"{flag} cannot be used with --resume: the plan of a run is fixed",
            f"drop {flag}, or start a new run without --resume",
        )


def resumed_options(stored: RunOptions, options: SweepOptions | StudyOptions) -> RunOptions:
    """Return the options of a run, with the lanes that were given to resume it."""
    lanes, lane_check = read_run_option("lanes", options.lanes), options.lane_check
    return replace(
        stored,
        lanes=stored.lanes if lanes is None else lanes,
        lane_check=stored.lane_check if lane_check is None else lane_check,
    )


def read_run_option(name: str, text: str | None) -> Any:
    """Return the value of a run option as typed; None stays None. Raises SpecError."""
    read = RUN_OPTIONS[name]
    return text if text is None or read is None else read(text, True)


def read_port(text: str) -> int:
    """Return the port to listen on; 0 is a free one. Raises SpecError."""
    return parse_count("port", text, 0, 65_535, bare=True)


def _base(spec: Path | None, name: str | None) -> dict[str, Any] | None:
    if spec is not None and name is not None:
        raise SpecError("--spec and --preset both name a sweep to start from", "give one of them")
    if spec is not None:
        with naming("--spec"):
            return read_shorthands(read_spec(spec), spec.parent)
    with naming("--preset"):
        return preset(name) if name is not None else None
