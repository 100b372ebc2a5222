"""The options that several commands share, worded once.

Axis options stay text: `pqbed.spec.text` reads flags and sweep files alike, so that both mean the same. Those that go
together stand in groups, which a command takes with `takes`.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from pqbed.spec.axes import Axis, axes_shown

Profiles = Annotated[str | None, typer.Option("--profile", metavar="NAME,...", help="TLS profiles; first: baseline.")]
CopyArm = Annotated[
    bool | None,
    typer.Option("--aa/--no-aa", help="Measure a second copy of the baseline: the noise floor. [default: aa]"),
]
BuiltStacks = Annotated[
    str | None, typer.Option("--stack", metavar="NAME,...", help="Stacks to make besides the default one.")
]
Stacks = Annotated[str | None, typer.Option("--stack", metavar="NAME,...", help="Stacks that serve each profile.")]
ClientStacks = Annotated[
    str | None, typer.Option("--client-stack", metavar="NAME,...", help="Stacks that fetch; or same. [default: same]")
]
Samples = Annotated[str | None, typer.Option(metavar="N", help="Samples a cell. [default: about five minutes' worth]")]
Precision = Annotated[
    str | None,
    typer.Option(
        metavar="%", help="Samples until each increase at p50 is known to this many percentage points, more or less."
    ),
]
MaxSamples = Annotated[
    str | None, typer.Option(metavar="N", help="Samples a cell that a precision may take. [default: 1000]")
]
Seed = Annotated[str | None, typer.Option(metavar="N", help="Seed of order, loss and jitter.")]
Lanes = Annotated[str | None, typer.Option(metavar="N", help="Lanes side by side. [default: what the bed allows]")]
Guard = Annotated[
    bool | None,
    typer.Option(
        "--guard/--no-guard",
        help="On the real clock, see first whether lanes disturb one another, and take fewer where they do. "
        "[default: guard]",
    ),
]
BedOption = Annotated[str | None, typer.Option("--bed", metavar="NAME", help="auto, docker, netns, uml or fake.")]
ClockOption = Annotated[str | None, typer.Option("--clock", metavar="NAME", help="real, or virtual (uml only).")]
Timeout = Annotated[str | None, typer.Option(metavar="S", help="Limit of one fetch; a plain number is seconds.")]
Name = Annotated[str | None, typer.Option(metavar="NAME", help="Name of the sweep; part of the run's folder.")]
Calibrate = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Measure links before they are believed: once in a run, always (by every lane), or off. [default: once]",
    ),
]
Out = Annotated[str | None, typer.Option(metavar="DIR", help="Where runs go. [default: results]")]
Spec = Annotated[Path | None, typer.Option("--spec", metavar="FILE", help="A sweep file (TOML) to start from.")]
Preset = Annotated[str | None, typer.Option("--preset", metavar="NAME", help="A sweep that comes with pqbed.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CaBundle = Annotated[
    Path | None,
    typer.Option(
        "--ca-bundle", metavar="FILE", help="Certificates (PEM) to trust besides the system's, for downloads."
    ),
]
ResumedRun = Annotated[
    str | None,
    typer.Option("--resume", metavar="RUN", help="Go on with this run (its folder, or latest); --lanes may differ."),
]
RunPath = Annotated[str, typer.Argument(metavar="RUN", help="The folder of a run, or latest.")]
RunsFolder = Annotated[str, typer.Option("--out", metavar="DIR", help="Where latest is looked for.")]
AnyPercentile = Annotated[
    str, typer.Option("--percentile", metavar="P,...", help="Percentiles, any between 0 and 100.")
]
MarginOption = Annotated[
    str, typer.Option("--margin", metavar="%|TIME", help="A difference too little to matter; a plain number is %.")
]
Baseline = Annotated[
    str | None, typer.Option(metavar="NAME", help="The profile to compare with. [default: the sweep's first]")
]

# The panels of `--help`.
PANELS = {"link": "Link", "tcp": "TCP", "workload": "Workload"}


def axis_options(*parts: str, single: bool = False) -> dict[str, Any]:
    """Return the options of the axes of `parts` (all of them if none is named), by name, for `takes`.

    `single`: worded for one value instead of a list.
    """
    return {
        axis.option: Annotated[
            str | None,
            typer.Option(
                axis.flag,
                metavar=axis.metavar if single else f"{axis.metavar},...",
                help=_help(axis, single),
                rich_help_panel=PANELS[axis.part],
            ),
        ]
        for axis in axes_shown()
        if not parts or axis.part in parts
    }


def _help(axis: Axis, single: bool) -> str:
    if single:
        return axis.help_one or axis.help
    return f"{axis.help} [default: same]" if axis.of else axis.help


# What a sweep can vary, and a trace must name one value of.
ARMS = {"profile": Profiles, "stack": Stacks, "client_stack": ClientStacks}
AXES = {**axis_options(), **ARMS}
AMOUNT = {"aa": CopyArm, "samples": Samples, "precision": Precision, "max_samples": MaxSamples}
EACH_FETCH = {"seed": Seed, "timeout": Timeout}
LANES = {"lanes": Lanes, "guard": Guard, "calibrate": Calibrate}
PLACE = {"bed": BedOption, "clock": ClockOption, "out": Out}
START = {"name": Name, "spec": Spec, "preset": Preset}

Group = Mapping[str, Any]


def takes(*groups: Group) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `groups` besides its own; its context's `params` has what was typed, else None."""

    def widen(command: Callable[..., None]) -> Callable[..., None]:
        context, *own = inspect.signature(command, eval_str=True).parameters.values()
        shared = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for group in groups
            for name, kind in group.items()
        ]

        @functools.wraps(command)
        def widened(context: typer.Context, **typed: Any) -> None:
            command(context, **{parameter.name: typed[parameter.name] for parameter in own})

        own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        # Typer reads this signature (inspect.signature), and Python has no other place for a made one.
        widened.__signature__ = inspect.Signature([context, *shared, *own])  # type: ignore[attr-defined]
        return widened

    return widen
