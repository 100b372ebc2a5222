"""Text to a frozen Sweep and back: the one way in for flags and for TOML.

A request comes in layers, each laid over the one before: the defaults (`presets/default.toml`), a sweep file or
preset, the flags. Keys are the names of the options; values are texts, numbers or lists of these. Pydantic checks
the form of a layer (`sweep_form.py`), `spec/value_parsers.py` what its texts mean.
"""

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from pqbed.errors import SpecError
from pqbed.spec import value_parsers
from pqbed.spec.axes import AXES, Axis, axes_shown
from pqbed.spec.builtin_profiles import builtin_profiles
from pqbed.spec.json_codec import from_json, to_json
from pqbed.spec.link_checks import QUIC_LAYOUT
from pqbed.spec.link_presets import LINK_AXES, builtin_links, link_from, link_table, parse_links, said_by_all, without
from pqbed.spec.metric import METRICS, TTLB
from pqbed.spec.mixture import Mixture
from pqbed.spec.mixture_tables import mixed_axes, mixture_from, mixture_table, parse_share, resumed_mixture
from pqbed.spec.name_suggestions import known_name, plain_name
from pqbed.spec.named_link import NamedLink
from pqbed.spec.presets import preset
from pqbed.spec.profile import Profile
from pqbed.spec.run_options import RUN_OPTIONS, RunOptions
from pqbed.spec.sample_count import AmountText, read_amount
from pqbed.spec.stack_pairs import pair_profiles
from pqbed.spec.stacks import stack_named
from pqbed.spec.sweep import Sweep
from pqbed.spec.sweep_checks import check_sweep
from pqbed.spec.sweep_form import SWITCHES, THRESHOLDS, SweepForm, form_error
from pqbed.spec.threshold import Threshold, parse_threshold
from pqbed.units import format_duration, format_percentage

MOST_SPEC_BYTES = 1 << 20
MOST_KEY_PARTS = 100

# What else a layer says of a sweep, each as one text: option -> field of Sweep, and its reader.
_SETTINGS: dict[str, tuple[str, Callable[[str, bool], Any]]] = {
    "name": ("name", lambda text, _: plain_name(text, "the name of a sweep")),
    "seed": ("seed", lambda text, bare: value_parsers.parse_count("seed", text, 0, 2**63 - 1, bare=bare)),
    "metric": ("metric", lambda text, _: known_name(text, METRICS, "metric")),
    "timeout": ("timeout_ns", lambda text, bare: value_parsers.parse_timeout(text, bare=bare)),
}

# The keys of a profile that hold a chain.
_CHAINS = frozenset({"chain", "client_chain"})
# The keys of a sweep file but those of its tables.
SWEEP_KEYS = frozenset(SweepForm.model_fields) - {"run", "thresholds", "profiles", "links", "mixtures"}


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
    defaults = _Layer(preset("default"), False)
    layers = [defaults, _Layer(under or {}, False), _Layer(raw, bare)]
    mixtures = _read_mixtures(layers)
    layers.insert(1, _Layer(mixed_axes(mixtures), False))
    values: dict[str, Any] = {}
    run: dict[str, Any] = {}
    profiles = builtin_profiles()
    for layer in layers:
        values.update(layer.axes() | layer.settings())
        run.update(layer.run_values())
        run["thresholds"] = (*run.get("thresholds", ()), *layer.thresholds())
        profiles.update(layer.profiles(profiles))
        values.update({key: value for key in SWITCHES if (value := getattr(layer.form, key)) is not None})
    values["links"] = _read_links(layers)
    values["mixtures"] = mixtures
    values.update(defaults.axes(said_by_all(values["links"])))
    if "3" in values["http"] and not any(layer.said({"layout"}) for layer in layers[1:]):
        values["layout"] = (QUIC_LAYOUT,)
    values["samples"], values["precision_ppm"] = read_amount([layer.amount() for layer in layers], default_samples)
    names = next(layer.form.profile for layer in reversed(layers) if layer.form.profile is not None)
    servers, clients = (
        next((getattr(layer.form, option) for layer in reversed(layers) if getattr(layer.form, option)), None)
        for option in ("stack", "client_stack")
    )
    values["profiles"] = pair_profiles(
        value_parsers.parse_profiles(names, profiles, bare=bare),
        servers and value_parsers.parse_stacks(servers, bare=bare),
        clients and value_parsers.parse_client_stacks(clients, bare=bare),
    )
    return check_sweep(Sweep(**values)), RunOptions(**run)


def _read_mixtures(layers: Sequence["_Layer"]) -> tuple[Mixture, ...]:
    """Return the mixtures of all layers, the last word on each name; that of full and resumed connections first."""
    shares = [layer.form.resumed_share for layer in layers if layer.form.resumed_share is not None]
    mixtures: dict[str, Mixture] = {}
    for text in shares[-1:]:
        with value_parsers.naming(value_parsers.spelled("resumed_share", layers[-1].bare)):
            mixture = resumed_mixture(parse_share(text))
            mixtures[mixture.name] = mixture
    for layer in layers:
        mixtures.update((name, mixture_from(name, table)) for name, table in layer.form.mixtures.items())
    return tuple(mixtures.values())


def _read_links(layers: Sequence["_Layer"]) -> tuple[NamedLink, ...]:
    """Return the links of the last layer that names any, without the values that were typed beside their names."""
    known = builtin_links()
    for layer in layers:
        known.update(layer.links())
    layer = next((layer for layer in reversed(layers) if layer.form.link is not None), layers[0])
    links = () if layer.form.link is None else parse_links(layer.form.link, known, bare=layer.bare)
    if not layer.bare and (useless := layer.said(said_by_all(links))):
        raise SpecError(
            f"{useless[0]} has no effect: every link in link = [...] has its own",
            f"leave {useless[0]} out, or take it out of the tables [links.NAME]",
        )
    typed = {option for layer in layers if layer.bare for option in layer.said(LINK_AXES)}
    return tuple(without(link, typed) for link in links)


def samples_given(*layers: Mapping[str, object] | None) -> bool:
    """Return whether any layer says how many samples it wants, or how precise they shall make it."""
    return any(layer and layer.get(name) is not None for layer in layers for name in ("samples", "precision"))


def read_spec(path: Path) -> dict[str, Any]:
    """Return the sweep file at `path` as TOML gives it. Raises SpecError for anything but a file of modest size."""
    try:
        if path.exists() and not path.is_file():
            raise SpecError(f"cannot read the sweep file {path}: it is not a regular file", "check the path")
        with path.open("rb") as file:
            content = file.read(MOST_SPEC_BYTES + 1)
        if len(content) > MOST_SPEC_BYTES:
            raise SpecError(f"{path} is larger than {MOST_SPEC_BYTES} bytes", "name a sweep file")
        text = content.decode()
        # tomllib takes a time that grows with the square of the parts of a key; a sweep file has three.
        if any(line.partition("=")[0].count(".") > MOST_KEY_PARTS for line in text.splitlines()):
            raise SpecError(f"{path} has a key of more than {MOST_KEY_PARTS} parts", "check the file")
        return tomllib.loads(text)
    except OSError as error:
        raise SpecError(f"cannot read the sweep file {path}: {error.strerror}", "check the path") from error
    except RecursionError as error:
        raise SpecError(f"{path} is nested too deeply", "check the file") from error
    except ValueError as error:
        raise SpecError(f"{path} is not TOML: {error}", "mend the file there; texts stand in quotes") from error


def read_run_sweep(path: Path) -> tuple[Sweep, RunOptions]:
    """Return what the sweep file of a run says.

    One written before there was an A/A arm has none; one from before jitter was checked may have any.
    """
    return sweep_from({"aa": False, "cut_jitter": True, **read_spec(path)})


def sweep_to_toml(sweep: Sweep, options: RunOptions) -> str:
    """Return the sweep file that says all of `sweep` and `options`, defaults and profiles included."""
    content: dict[str, Any] = {
        "name": sweep.name,
        "profile": [profile.name for profile in sweep.profiles],
        "aa": sweep.aa,
        **{axis.option: [axis.format(value) for value in axis.values(sweep)] for axis in _axes_written(sweep)},
        **_amount_table(sweep),
        **({} if sweep.metric == TTLB.name else {"metric": sweep.metric}),
        "seed": sweep.seed,
        "timeout": format_duration(sweep.timeout_ns),
        "cut_jitter": sweep.cut_jitter,
        "run": {key: getattr(options, key) for key in RUN_OPTIONS if getattr(options, key) is not None},
        "profiles": {profile.name: profile_table(profile) for profile in sweep.profiles},
    }
    if options.thresholds:
        content["thresholds"] = _threshold_table(options.thresholds)
    if sweep.mixtures:
        content["mixtures"] = {mixture.name: mixture_table(mixture) for mixture in sweep.mixtures}
    if sweep.links:
        content["links"] = {link.name: link_table(link) for link in sweep.links}
    return tomli_w.dumps(content)


def _axes_written(sweep: Sweep) -> list[Axis]:
    """Return the axes but those of which every link has its own value, and the names of links if there are none."""
    idle = said_by_all(sweep.links) if sweep.links else {"link"}
    return [axis for axis in axes_shown() if axis.option not in idle]


def _amount_table(sweep: Sweep) -> dict[str, Any]:
    if sweep.precision_ppm is None:
        return {"samples": sweep.samples}
    return {"precision": format_percentage(sweep.precision_ppm), "max_samples": sweep.samples}


def _threshold_table(thresholds: Sequence[Threshold]) -> dict[str, list[str]]:
    texts = {key: [one.text for one in thresholds if one.required is required] for key, required in THRESHOLDS.items()}
    return {key: own for key, own in texts.items() if own}


def profile_table(profile: Profile) -> dict[str, Any]:
    """Return `profile` as its table in a sweep file."""
    table = {key: value for key, value in _without_none(to_json(profile)).items() if key != "name" and value != []}
    table = {key: value for key, value in table.items() if key != "alpn" or value}
    return {key: _chain_table(value) if key in _CHAINS else value for key, value in table.items()}


def _chain_table(chain: dict[str, Any]) -> dict[str, Any]:
    """Leave out what was not asked of a chain; what follows from its certificates is said by them."""
    certificates = [_without_none(certificate) for certificate in chain["certificate"]]
    without = {"algorithm", "depth"} if certificates else {"certificate"}
    without |= set() if chain["scts"] else {"scts", "sct_bytes"}
    without |= set() if chain["ocsp"] else {"ocsp"}
    kept = {key: value for key, value in chain.items() if key not in without}
    return kept | ({"certificate": certificates} if certificates else {})


def _without_none(table: dict[str, Any]) -> dict[str, Any]:
    """Leave out what TOML has no word for."""
    return {k: _without_none(v) if isinstance(v, dict) else v for k, v in table.items() if v is not None}


class _Layer:
    """One layer of a request: its form is checked at once, its texts are read on demand."""

    def __init__(self, raw: Mapping[str, object], bare: bool) -> None:
        self.bare = bare
        present = {key: value for key, value in raw.items() if value is not None}
        try:
            self.form = SweepForm.model_validate(present)
        except ValidationError as error:
            raise form_error(error) from error

    def said(self, options: Collection[str]) -> list[str]:
        """Return those of `options` that this layer has."""
        return [option for option in options if getattr(self.form, option) is not None]

    def axes(self, options: Collection[str] = AXES) -> dict[str, Any]:
        """Return the values of the axes in `options`, by field of Sweep."""
        said = [AXES[option] for option in self.said(options) if option != "link"]
        return {axis.field: axis.parse_values(getattr(self.form, axis.option), bare=self.bare) for axis in said}

    def settings(self) -> dict[str, Any]:
        """Return the other fields of Sweep that are one text."""
        return {
            field: read(text, self.bare)
            for option, (field, read) in _SETTINGS.items()
            if (text := getattr(self.form, option)) is not None
        }

    def links(self) -> dict[str, NamedLink]:
        """Return the links that this layer defines. They have precedence over those that come with pqbed."""
        return {name: link_from(name, form.model_dump()) for name, form in self.form.links.items()}

    def amount(self) -> AmountText:
        given = {option: getattr(self.form, option) for option in ("samples", "precision", "max_samples")}
        return AmountText(**given, bare=self.bare)

    def run_values(self) -> dict[str, Any]:
        """Return fields of RunOptions."""
        given = {option: getattr(self.form.run, option) for option in RUN_OPTIONS}
        readers = {option: read or (lambda value, _: value) for option, read in RUN_OPTIONS.items()}
        return {option: readers[option](value, self.bare) for option, value in given.items() if value is not None}

    def thresholds(self) -> list[Threshold]:
        """Return the thresholds of this layer; they add to those of the layers below."""
        return [
            parse_threshold(text, required=required, bare=self.bare)
            for key, required in THRESHOLDS.items()
            for text in getattr(self.form.thresholds, key)
        ]

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
