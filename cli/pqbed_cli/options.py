"""What the user typed: one frozen class of options for each workflow, whose fields are the flags of its command.

Values stay text: `pqbed.spec.sweep_toml` reads flags and sweep files alike, so that both mean the same.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, get_type_hints

import typer

from pqbed.errors import SpecError
from pqbed.spec.axes import Axis, axes_shown
from pqbed_cli import flags

_PANEL_OF_PART = {"link": flags.LINK, "tcp": flags.TCP, "workload": flags.WORKLOAD}


@dataclass(frozen=True, slots=True)
class AxisFlags:
    """Marks the field with the texts of axes, by option: those of `parts`, or all. `single`: of one value each."""

    parts: tuple[str, ...] = ()
    single: bool = False


_Axes = Annotated[Mapping[str, str], AxisFlags()]
_LinkAxes = Annotated[Mapping[str, str], AxisFlags(parts=("link", "tcp"), single=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOptions:
    """What `plan`, `sweep` and `trace` have in common: a sweep, and where it runs."""

    axes: _Axes = dataclasses.field(default_factory=dict)
    profile: flags.Profiles = None
    stack: flags.Stacks = None
    client_stack: flags.ClientStacks = None
    timeout: flags.Timeout = None
    bed: flags.BedName = None
    clock: flags.Clock = None
    kernel: flags.Kernel = None
    seed: flags.Seed = None
    spec: flags.SpecFile = None
    preset: flags.Preset = None
    name: flags.Name = None
    out: flags.Out = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions(RequestOptions):
    aa: flags.CopyArm = None
    resumed_share: flags.ResumedShare = None
    samples: flags.Samples = None
    precision: flags.Precision = None
    max_samples: flags.MaxSamples = None
    metric: flags.SweepMetric = None
    lanes: flags.Lanes = None
    lane_check: flags.LaneCheck = None
    calibrate: flags.Calibrate = None
    cluster: flags.Cluster = None


@dataclass(frozen=True, kw_only=True)  # no slots: `SweepOptions` joins it with a class that has some
class GateOptions:
    """Thresholds, and where the verdicts go besides standard output."""

    fail_if: flags.FailIf = None
    require: flags.Require = None
    junit: flags.JUnit = None
    summary: flags.GateSummary = None
    annotate: flags.Annotate = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOptions(PlanOptions, GateOptions):
    resume: flags.ResumedRun = None
    ca_bundle: flags.CaBundle = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOptions:
    axes: _Axes = dataclasses.field(default_factory=dict)
    profile: flags.Profiles = None
    samples: flags.Samples = None
    preset: flags.Preset = None
    to: flags.SweepFileToWrite = Path("sweep.toml")
    yes: flags.PresetAnswers = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceOptions(RequestOptions):
    repetition: flags.Repetition = "0"
    open_page: flags.OpenPage = False
    ca_bundle: flags.CaBundle = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    study: flags.Study = None
    samples: flags.StudySamples = None
    seed: flags.Seed = None
    bed: flags.BedName = None
    clock: flags.Clock = None
    kernel: flags.Kernel = None
    lanes: flags.Lanes = None
    lane_check: flags.LaneCheck = None
    calibrate: flags.Calibrate = None
    out: flags.Out = None
    resume: flags.ResumedRun = None
    ca_bundle: flags.CaBundle = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    bed: flags.BedName = None
    clock: flags.Clock = None
    kernel: flags.Kernel = None
    stack: flags.BuiltStacks = None
    ca_bundle: flags.CaBundle = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    axes: _LinkAxes = dataclasses.field(default_factory=dict)
    profile: flags.Profiles = None
    bed: flags.BedName = None
    clock: flags.Clock = None
    kernel: flags.Kernel = None
    ca_bundle: flags.CaBundle = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLinkOptions:
    axes: _LinkAxes = dataclasses.field(default_factory=dict)
    seed: flags.LinkSeed = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions:
    profile: flags.Profile = None
    stack: flags.Stacks = None
    client_stack: flags.ClientStacks = None
    size: flags.Size = "0"
    count: flags.Count = "1"
    timeout: flags.FetchTimeout = "300"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOptions:
    run: flags.RunPath
    metric: flags.MetricName = None
    percentile: flags.Percentiles = "50,90"
    resumed_share: flags.ShownShare = None
    margin: flags.Margin = "1%"
    out: flags.RunsFolder = "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediesOptions:
    run: flags.RankedRun = None
    axes: _Axes = dataclasses.field(default_factory=dict)
    profile: flags.HelpedProfile = None
    chain: flags.HelpedChain = None
    samples: flags.Samples = None
    seed: flags.Seed = None
    bed: flags.BedName = None
    clock: flags.Clock = None
    kernel: flags.Kernel = None
    calibrate: flags.Calibrate = None
    figure: flags.RemediesFigure = None
    out: flags.RunsFolder = "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOptions:
    run: flags.RunPath
    percentile: flags.Percentiles = "50,90"
    baseline: flags.Baseline = None
    resumed_share: flags.ShownShare = None
    out: flags.RunsFolder = "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions(GateOptions):
    run: flags.RunPath
    baseline: flags.Baseline = None
    out: flags.RunsFolder = "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    run: flags.RunPath
    out: flags.RunsFolder = "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions:
    run: flags.RunPath
    cell: flags.CellId = None
    axes: _Axes = dataclasses.field(default_factory=dict)
    profile: flags.Profiles = None
    baseline: flags.Baseline = None
    out: flags.RunsFolder = "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    run: flags.RunPath
    open_page: flags.OpenPage = False
    baseline: flags.Baseline = None
    metric: flags.MetricName = None
    percentile: flags.Percentiles = "50,75,90"
    resumed_share: flags.ShownShare = None
    margin: flags.Margin = "1%"
    out: flags.RunsFolder = "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    port: flags.Port = "0"
    open_page: flags.OpenPage = False
    out: flags.ServedFolder = "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions(GateOptions):
    run_a: flags.RunA
    run_b: flags.RunB
    across: flags.Across = ""
    metric: flags.MetricName = None
    percentile: flags.Percentiles = "50,90"
    resumed_share: flags.ShownShare = None
    margin: flags.Margin = "1%"
    out: flags.RunsFolder = "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    run: flags.RunPath
    csv: flags.Csv = False
    parquet: flags.Parquet = False
    json: flags.JsonRows = False
    table: flags.TableName = "samples"
    to: flags.ToFile = None
    baseline: flags.Baseline = None
    percentile: flags.Percentiles = "50,75,90"
    out: flags.RunsFolder = "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmOptions:
    name: flags.AlgorithmName = ""
    kind: flags.Kind = None
    stack: flags.AskedStack = None
    cpu: flags.Cpu = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AddStackOptions:
    name: flags.StackName
    folder: flags.StackFolder = None
    module: flags.Modules = None
    library: flags.Libraries = None
    configuration: flags.ProviderConfiguration = None


P = ParamSpec("P")
Options = TypeVar("Options")


def takes(kind: type[Options]) -> Callable[[Callable[Concatenate[Options, P], None]], Callable[..., None]]:
    """Give a command the flags of the options class `kind`, and what was typed as one value of it."""

    def widen(command: Callable[Concatenate[Options, P], None]) -> Callable[..., None]:
        _, *own = inspect.signature(command, eval_str=True).parameters.values()
        parameters = tuple(_parameters(kind))
        names = [parameter.name for parameter in parameters]

        @functools.wraps(command)
        def widened(**typed: Any) -> None:
            command(_collected(kind, {name: typed.pop(name) for name in names}), **typed)  # type: ignore[call-arg]

        own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        # Typer reads this signature (inspect.signature), and Python has no other place for a made one.
        widened.__signature__ = inspect.Signature([*parameters, *own])  # type: ignore[attr-defined]
        return widened

    return widen


def _parameters(kind: Any) -> Iterator[inspect.Parameter]:
    """Yield a parameter for each field of `kind`, and one for each axis of a field of axes."""
    hints = get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        if axis_flags := _axis_flags(hints[field.name]):
            yield from (_parameter(axis.option, _axis_flag(axis, axis_flags), None) for axis in _axes(axis_flags))
        else:
            default = inspect.Parameter.empty if field.default is MISSING else field.default
            yield _parameter(field.name, hints[field.name], default)


def _collected(kind: type[Options], typed: dict[str, Any]) -> Options:
    """Return the value of `kind` that `typed` (by parameter) says."""
    fields: dict[str, Any] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if axis_flags := _axis_flags(hint):
            axes = [axis for axis in _axes(axis_flags) if typed[axis.option]]
            fields[name] = {axis.option: _one_text(axis, typed[axis.option]) for axis in axes}
        else:
            fields[name] = typed[name]
    return kind(**fields)


def _one_text(axis: Axis, texts: list[str]) -> str:
    """Return what was typed for `axis`. Raises SpecError if it was given twice and makes no single value."""
    if len(texts) == 1:
        return texts[0]
    if axis.joined_by and not any("," in text for text in texts):
        return axis.joined_by.join(texts)
    raise SpecError(
        f"{axis.flag} is given {len(texts)} times: {', '.join(repr(text[:80]) for text in texts)}",
        f"give it once; several values take commas between them: {axis.flag} {','.join(texts)[:80]}",
    )


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _axis_flags(hint: Any) -> AxisFlags | None:
    return next((note for note in getattr(hint, "__metadata__", ()) if isinstance(note, AxisFlags)), None)


def _axes(chosen: AxisFlags) -> list[Axis]:
    return [axis for axis in axes_shown() if not chosen.parts or axis.part in chosen.parts]


def _axis_flag(axis: Axis, chosen: AxisFlags) -> Any:
    many = f"{axis.help} [default: same]" if axis.of else axis.help
    return Annotated[
        list[str] | None,
        typer.Option(
            axis.flag,
            metavar=axis.metavar if chosen.single else f"{axis.metavar},...",
            help=(axis.help_one or axis.help) if chosen.single else many,
            rich_help_panel=_PANEL_OF_PART[axis.part],
        ),
    ]
