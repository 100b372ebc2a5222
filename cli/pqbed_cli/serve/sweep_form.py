"""The form that starts a sweep: a field for every axis and for what else a sweep says, made from their tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from pqbed.plan import plan_sweep
from pqbed.spec.axes import PARTS, axes_shown
from pqbed.spec.option_descriptions import DESCRIPTIONS
from pqbed.spec.presets import preset, preset_descriptions
from pqbed.spec.run_options import RUN_OPTIONS
from pqbed.spec.value_parsers import Choice
from pqbed_cli.options import SweepOptions
from pqbed_cli.workflows.sweep_request import read_request

# What stands first, and open; the other axes of a part are folded away.
FIRST = ("rtt", "bandwidth", "loss", "size", "link")
_TITLES = {"link": "Link", "tcp": "TCP", "workload": "Workload"}
ARMS = ("profile", "samples", "precision", "max_samples", "metric", "seed", "timeout", "name")
RUN = ("bed", "clock", "kernel", "lanes", "calibrate")
MOST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field: its name, what is told about it, what is there if it is left empty, and names to choose from."""

    name: str
    label: str
    help: str
    usual: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldGroup:
    title: str
    fields: Sequence[Field]
    folded: bool = False


def sweep_groups() -> list[FieldGroup]:
    """Return the fields in their groups."""
    usual = {key: _typed(value) for key, value in preset("default").items()}
    axes = [
        Field(
            name=axis.option,
            label=axis.label,
            help=axis.help,
            usual=usual.get(axis.option, "" if axis.usual is None else axis.format(axis.usual)),
            choices=_choices(axis.parse),
        )
        for axis in axes_shown()
    ]
    parts = {axis.option: axis.part for axis in axes_shown()}
    first = [field for option in FIRST for field in axes if field.name == option]
    more = [
        FieldGroup(
            title=f"More of {_TITLES[part]}",
            fields=[field for field in axes if parts[field.name] == part and field not in first],
            folded=True,
        )
        for part in PARTS.values()
    ]
    presets = Field(name="preset", label="preset", help="Sweep to start from.", choices=tuple(preset_descriptions()))
    arms = [presets, *(_described(name, usual) for name in ARMS)]
    run = [_described(name, {"bed": "auto", "calibrate": "once"}) for name in RUN]
    return [
        FieldGroup(title="What to compare", fields=arms[:4]),
        FieldGroup(title="Over what", fields=first),
        *more,
        FieldGroup(title="Precision, seed and name", fields=arms[4:], folded=True),
        FieldGroup(title="Where it runs", fields=run),
    ]


def sweep_arguments(typed: Mapping[str, str], out: str) -> list[str]:
    """Return the arguments of `pqbed` for what was typed; what is refused raises SpecError, before any process."""
    values = {name: text.strip() for name, text in typed.items() if text.strip()}
    known = [field.name for group in sweep_groups() for field in group.fields]
    given = {name: values[name][:MOST_CHARACTERS] for name in known if name in values}
    axes = {axis.option: given[axis.option] for axis in axes_shown() if axis.option in given}
    others = {item.name: given[item.name] for item in fields(SweepOptions) if item.name in given}
    request = read_request(SweepOptions(axes=axes, **others, out=out))  # type: ignore[arg-type]
    plan_sweep(request.sweep)
    flags = [f"--{name.replace('_', '-')}={text}" for name, text in given.items()]
    return ["sweep", *flags, f"--out={out}"]


def _described(name: str, usual: Mapping[str, str]) -> Field:
    read = RUN_OPTIONS.get(name)
    return Field(
        name=name,
        label=name.replace("_", " "),
        help=DESCRIPTIONS[name].partition(" [default")[0],
        usual=usual.get(name, ""),
        choices=read.names if isinstance(read, Choice) else (),
    )


def _choices(parse: object) -> tuple[str, ...]:
    return parse.names if isinstance(parse, Choice) else ()


def _typed(value: object) -> str:
    return ",".join(map(str, value if isinstance(value, list) else [value]))
