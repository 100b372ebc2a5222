"""Text to a frozen Sweep and back: the one way in for flags and for TOML.

A request comes in layers, each laid over the one before: the defaults (`presets/default.toml`), a sweep file or
preset, the flags. Keys are the names of the options; values are texts, numbers or lists of these. Pydantic checks
the form of a layer, `spec/parse.py` what its texts mean. Only this module and `study_text.py` use pydantic.
"""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, ValidationError

from pqbed.errors import SpecError
from pqbed.spec import parse
from pqbed.spec.amount import AmountText, read_amount
from pqbed.spec.checks import check_sweep
from pqbed.spec.codec import from_json, to_json
from pqbed.spec.names import known_name, nearest, plain_name
from pqbed.spec.options import BedChoice, Calibrate, Clock, RunOptions
from pqbed.spec.pairs import pair_profiles
from pqbed.spec.presets import preset
from pqbed.spec.profile import DEFAULT_STACK, LARGEST_WIRE_BYTES, Profile
from pqbed.spec.profiles import builtin_profiles
from pqbed.spec.stacks import stack_named
from pqbed.spec.sweep import Sweep
from pqbed.units import format_duration, format_percentage, format_rate, format_size

LONGEST_CHAIN = 8
MOST_LANES = 1024

# Option -> field of Sweep, and who reads its text; the first table takes units.
_WITH_UNITS: dict[str, tuple[str, Callable[..., Any]]] = {
    "rtt": ("rtt_ns", parse.parse_rtts),
    "bandwidth": ("bandwidth_bps", parse.parse_bandwidths),
    "bandwidth_up": ("bandwidth_up_bps", parse.parse_bandwidths_up),
    "loss": ("loss", parse.parse_losses),
    "loss_up": ("loss_up", parse.parse_losses_up),
    "jitter": ("jitter_ns", parse.parse_jitters),
    "size": ("size_bytes", parse.parse_sizes),
    "timeout": ("timeout_ns", parse.parse_timeout),
}
_WITHOUT_UNITS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "distribution": ("distribution", parse.parse_distributions),
    "segmentation": ("segmentation", parse.parse_segmentations),
    "layout": ("layout", parse.parse_layouts),
    "queue": ("queue_packets", parse.parse_queues),
    "initcwnd": ("initcwnd", parse.parse_initcwnds),
    "initcwnd_client": ("initcwnd_client", parse.parse_client_initcwnds),
    "congestion_control": ("congestion_control", parse.parse_controls),
    "congestion_control_client": ("congestion_control_client", parse.parse_client_controls),
    "http": ("http", parse.parse_http),
    "seed": ("seed", lambda text: parse.parse_count("seed", text, 0, 2**63 - 1)),
    "mtu": ("mtu", lambda text: parse.parse_count("mtu", text, 576, 9216)),
    "name": ("name", lambda text: plain_name(text, "the name of a sweep")),
}
_RUN: dict[str, Callable[[str], Any]] = {
    "bed": lambda text: known_name(text, get_args(BedChoice), "bed"),
    "clock": lambda text: known_name(text, get_args(Clock), "clock"),
    "lanes": lambda text: parse.parse_count("lanes", text, 1, MOST_LANES),
    "out": lambda text: text,
    "calibrate": lambda text: known_name(text, get_args(Calibrate), "way to calibrate"),
}


def sweep_from(
    raw: Mapping[str, object],
    *,
    bare: bool = False,
    under: Mapping[str, object] | None = None,
    default_samples: int = 1,
) -> tuple[Sweep, RunOptions]:
    """Return what `raw`, laid over `under`, laid over the defaults, asks for.

    `bare`: numbers in `raw` may stand without units, as on the command line; in `under` they never may.
    Keys with the value None count as absent. Raises SpecError.
    """
    layers = [_Layer(preset("default"), False), _Layer(under or {}, False), _Layer(raw, bare)]
    values: dict[str, Any] = {}
    run: dict[str, Any] = {}
    profiles = builtin_profiles()
    for layer in layers:
        values.update(layer.values())
        run.update(layer.run_values())
        profiles.update(layer.profiles(profiles))
        if layer.form.aa is not None:
            values["aa"] = layer.form.aa
    values["samples"], values["precision_ppm"] = read_amount([layer.amount() for layer in layers], default_samples)
    names = next(layer.form.profile for layer in reversed(layers) if layer.form.profile is not None)
    servers, clients = (
        next((getattr(layer.form, option) for layer in reversed(layers) if getattr(layer.form, option)), None)
        for option in ("stack", "client_stack")
    )
    values["profiles"] = pair_profiles(
        parse.parse_profiles(names, profiles),
        servers and parse.parse_stacks(servers),
        clients and parse.parse_client_stacks(clients),
    )
    return check_sweep(Sweep(**values)), RunOptions(**run)


def samples_given(*layers: Mapping[str, object] | None) -> bool:
    """Return whether any layer says how many samples it wants, or how precise they shall make it."""
    return any(layer and layer.get(name) is not None for layer in layers for name in ("samples", "precision"))


def read_spec(path: Path) -> dict[str, Any]:
    """Return the sweep file at `path` as TOML gives it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"cannot read the sweep file {path}: {error.strerror}", "check the path") from error
    except ValueError as error:
        raise SpecError(f"{path} is not TOML: {error}", "mend the file there; texts stand in quotes") from error


def read_run_sweep(path: Path) -> tuple[Sweep, RunOptions]:
    """Return what the sweep file of a run says. One written before there was an A/A arm has none."""
    return sweep_from({"aa": False, **read_spec(path)})


def sweep_to_toml(sweep: Sweep, options: RunOptions) -> str:
    """Return the sweep file that says all of `sweep` and `options`, defaults and profiles included."""
    content: dict[str, Any] = {
        "name": sweep.name,
        "profile": [profile.name for profile in sweep.profiles],
        "aa": sweep.aa,
        "rtt": [format_duration(rtt) for rtt in sweep.rtt_ns],
        "loss": [parse.format_loss(loss) for loss in sweep.loss],
        "loss_up": [parse.SAME if loss is None else parse.format_loss(loss) for loss in sweep.loss_up],
        "bandwidth": [format_rate(rate) for rate in sweep.bandwidth_bps],
        "bandwidth_up": [parse.format_bandwidth_up(rate) for rate in sweep.bandwidth_up_bps],
        "jitter": [format_duration(jitter) for jitter in sweep.jitter_ns],
        "distribution": list(sweep.distribution),
        "queue": [parse.format_queue(queue) for queue in sweep.queue_packets],
        "segmentation": list(sweep.segmentation),
        "layout": list(sweep.layout),
        "initcwnd": list(sweep.initcwnd),
        "initcwnd_client": [segments or parse.SAME for segments in sweep.initcwnd_client],
        "congestion_control": list(sweep.congestion_control),
        "congestion_control_client": [name or parse.SAME for name in sweep.congestion_control_client],
        "mtu": sweep.mtu,
        "size": [format_size(size) for size in sweep.size_bytes],
        "http": list(sweep.http),
        **_amount_table(sweep),
        "seed": sweep.seed,
        "timeout": format_duration(sweep.timeout_ns),
        "run": {key: value for key, value in to_json(options).items() if value is not None},
        "profiles": {profile.name: _profile_table(profile) for profile in sweep.profiles},
    }
    return tomli_w.dumps(content)


def _amount_table(sweep: Sweep) -> dict[str, Any]:
    if sweep.precision_ppm is None:
        return {"samples": sweep.samples}
    return {"precision": format_percentage(sweep.precision_ppm), "max_samples": sweep.samples}


def _profile_table(profile: Profile) -> dict[str, Any]:
    return {key: value for key, value in _without_none(to_json(profile)).items() if key != "name"}


def _without_none(table: dict[str, Any]) -> dict[str, Any]:
    """Leave out what TOML has no word for."""
    return {k: _without_none(v) if isinstance(v, dict) else v for k, v in table.items() if v is not None}


def _joined(value: object) -> object:
    """Turn a number or a list into the text that would be typed for it."""
    items = value if isinstance(value, list | tuple) else [value]
    for item in items:
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            raise ValueError(f"{item!r} is neither a text nor a number")  # noqa: TRY004 (pydantic catches this one)
    return ",".join(map(str, items))


_Text = Annotated[str, BeforeValidator(_joined)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _ChainForm(_Form):
    algorithm: _Name
    depth: StrictInt = Field(2, ge=1, le=LONGEST_CHAIN)
    intermediate: _Name | None = None
    wire_bytes: Annotated[StrictInt, Field(ge=1, le=LARGEST_WIRE_BYTES)] | None = None


class _ProfileForm(_Form):
    group: _Name
    chain: _ChainForm
    stack: _Name = DEFAULT_STACK
    mutual: StrictBool = False
    client_chain: _ChainForm | None = None
    client_stack: _Name | None = None


class _RunForm(_Form):
    bed: _Text | None = None
    clock: _Text | None = None
    lanes: _Text | None = None
    out: Annotated[str, Field(min_length=1)] | None = None
    calibrate: _Text | None = None
    guard: StrictBool | None = None


class _LayerForm(_Form):
    name: str | None = None
    profile: _Text | None = None
    stack: _Text | None = None
    client_stack: _Text | None = None
    aa: StrictBool | None = None
    rtt: _Text | None = None
    loss: _Text | None = None
    loss_up: _Text | None = None
    bandwidth: _Text | None = None
    bandwidth_up: _Text | None = None
    jitter: _Text | None = None
    distribution: _Text | None = None
    queue: _Text | None = None
    segmentation: _Text | None = None
    layout: _Text | None = None
    initcwnd: _Text | None = None
    initcwnd_client: _Text | None = None
    congestion_control: _Text | None = None
    congestion_control_client: _Text | None = None
    mtu: _Text | None = None
    size: _Text | None = None
    http: _Text | None = None
    samples: _Text | None = None
    precision: _Text | None = None
    max_samples: _Text | None = None
    seed: _Text | None = None
    timeout: _Text | None = None
    run: _RunForm = _RunForm()
    profiles: dict[_Name, _ProfileForm] = {}


class _Layer:
    """One layer of a request: its form is checked at once, its texts are read on demand."""

    def __init__(self, raw: Mapping[str, object], bare: bool) -> None:
        self._bare = bare
        present = {key: value for key, value in raw.items() if value is not None}
        try:
            self.form = _LayerForm.model_validate(present)
        except ValidationError as error:
            raise _refusal(error) from error

    def values(self) -> dict[str, Any]:
        """Return fields of Sweep, profiles excepted."""
        found: dict[str, Any] = {}
        for option, (field, read) in _WITH_UNITS.items():
            if (text := getattr(self.form, option)) is not None:
                found[field] = read(text, bare=self._bare)
        for option, (field, read) in _WITHOUT_UNITS.items():
            if (text := getattr(self.form, option)) is not None:
                found[field] = read(text)
        return found

    def amount(self) -> AmountText:
        form = self.form
        return AmountText(samples=form.samples, precision=form.precision, max_samples=form.max_samples, bare=self._bare)

    def run_values(self) -> dict[str, Any]:
        """Return fields of RunOptions."""
        texts = {option: getattr(self.form.run, option) for option in _RUN}
        found: dict[str, Any] = {option: _RUN[option](text) for option, text in texts.items() if text is not None}
        return found if self.form.run.guard is None else {**found, "guard": self.form.run.guard}

    def profiles(self, known: Mapping[str, Profile]) -> dict[str, Profile]:
        """Return the profiles this layer defines. A name in `known` may only be said again, never changed."""
        found = {}
        for name, form in self.form.profiles.items():
            profile = from_json(Profile, {"name": name, **form.model_dump()})
            stack_named(profile.stack)
            stack_named(profile.clients_stack)
            if known.get(name, profile) != profile:
                raise SpecError(f"profile {name!r} is there already and means something else", "choose another name")
            found[name] = profile
        return found


def _refusal(error: ValidationError) -> SpecError:
    """Put the first thing that is wrong with a form into one sentence."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "[key]")
    match first["type"]:
        case "extra_forbidden":
            return SpecError(f"there is no option {where!r}", nearest(str(first["loc"][-1]), _options_at(first["loc"])))
        case "missing":
            return SpecError(f"{where} is missing", "give it a value")
        case "dict_type" if where == "profiles":
            return SpecError(
                "profiles is not a table", "name the arms in profile = [...]; [profiles.NAME] defines a new one"
            )
        case "dict_type" | "model_type":
            return SpecError(f"{where} is not a table", f"write [{where}] and the keys below it")
        case "string_pattern_mismatch":
            return SpecError(
                f"{where}: {first['input']!r} cannot be a name", "use up to 64 letters, digits, '.', '_' and '-'"
            )
        case _:
            return _form_refusal(where, first["msg"], first["input"])


def _form_refusal(where: str, message: str, value: object) -> SpecError:
    reason = message.removeprefix("Value error, ").replace("Input should", f"{value!r} should", 1)
    return SpecError(f"{where}: {reason}", "correct the value")


def _options_at(where: tuple[int | str, ...]) -> list[str]:
    """Return the options that exist beside the one at `where`."""
    if len(where) == 1:
        return list(_LayerForm.model_fields)
    if where[0] == "run":
        return list(_RunForm.model_fields)
    return list((_ProfileForm if len(where) == 3 else _ChainForm).model_fields)
