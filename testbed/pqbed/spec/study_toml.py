"""Studies from TOML: sweeps over common settings, claims of one percentile each, figures."""

import itertools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictBool, ValidationError

from pqbed.errors import SpecError
from pqbed.spec.name_suggestions import known_name
from pqbed.spec.presets import studies
from pqbed.spec.published_tables import read_published_rows
from pqbed.spec.run_options import RunOptions
from pqbed.spec.study import Claim, FigureKind, Measure, MeasureKind, Study, StudyFigure
from pqbed.spec.sweep import Sweep
from pqbed.spec.sweep_toml import sweep_from
from pqbed.units import parse_size

Table = dict[str, Any]

# In braces it stands for the percentile in the texts of a claim that has several.
_PERCENTILE = "p"
_ALIKE = "like"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStudy:
    """A study, how to run it, and the whole of both as one TOML table."""

    study: Study
    options: RunOptions
    table: Table


def study_names() -> tuple[str, ...]:
    """Return the names of the studies that come with pqbed."""
    files = (entry.name for entry in resources.files(studies).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


def study_table(name: str) -> Table:
    """Return study `name` as TOML gives it, laid over the one that it is `like`."""
    known = known_name(name, study_names(), "study")
    table = tomllib.loads(resources.files(studies).joinpath(f"{known}.toml").read_text(encoding="utf-8"))
    alike = table.pop(_ALIKE, None)
    return table if alike is None else _lay_over(study_table(alike), table)


def study_from(table: Mapping[str, Any], typed: Mapping[str, object] | None = None) -> ReadStudy:
    """Return the study in `table`. Raises SpecError.

    `typed` goes over its settings: samples, seed, and the table `run`.
    """
    whole = _lay_over(table, {"settings": {key: value for key, value in (typed or {}).items() if value is not None}})
    try:
        form = _StudyForm.model_validate(whole)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SpecError(f"the study is wrong at {where}: {first['msg']}", "correct it there") from error
    read = {name: _read_sweep(form, name, axes) for name, axes in form.sweeps.items()}
    sweeps = {name: sweep for name, (sweep, _) in read.items()}
    first_sweep, options = next(iter(read.values()))
    study = Study(
        name=form.name,
        title=form.title,
        published=form.published,
        empty_is_handshake=form.empty_is_handshake,
        network_alone=form.network_alone,
        samples=first_sweep.samples,
        seed=first_sweep.seed,
        sweeps=sweeps,
        claims=tuple(_claims(form, sweeps)),
        figures=tuple(_figure(one, sweeps) for one in form.figures),
    )
    return ReadStudy(study=study, options=options, table=whole)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _MeasureForm(_Form):
    kind: MeasureKind
    sweep: str = ""
    profile: str = ""
    size: str | None = None
    over: str = ""
    rtts: int = 0


class _ClaimForm(_Form):
    name: str
    question: str
    published: str
    percentiles: tuple[float | None, ...] = (None,)
    each: dict[str, tuple[str, ...]] = {}
    low: float | None = None
    high: float | None = None
    within: float | None = None
    basis: str
    measure: _MeasureForm


class _FigureForm(_Form):
    number: str
    kind: FigureKind
    title: str
    sweeps: tuple[str, ...]


class _StudyForm(_Form):
    name: str
    title: str
    published: str
    empty_is_handshake: StrictBool
    network_alone: StrictBool = False
    settings: Table
    profiles: Table = {}
    sweeps: dict[str, Table]
    claims: tuple[_ClaimForm, ...]
    figures: tuple[_FigureForm, ...] = ()
    why: dict[str, str] = {}


def _read_sweep(form: _StudyForm, name: str, axes: Table) -> tuple[Sweep, RunOptions]:
    try:
        # A study has the jitter that was published; its report names the mean RTT where that is cut (`cut_delays`).
        return sweep_from(
            {"aa": False, "cut_jitter": True, "name": form.name, "profiles": form.profiles, **form.settings, **axes}
        )
    except SpecError as error:
        raise SpecError(f"sweep {name!r} of the study: {error.message}", error.hint) from error


def _claims(study: _StudyForm, sweeps: Mapping[str, Sweep]) -> Iterator[Claim]:
    """Yield one claim per percentile and choice of `each`. A reason may be given for all of them, or for one."""
    values = {row["id"]: float(row["value"]) for row in read_published_rows(study.published)}
    for form in study.claims:
        for choice in itertools.product(*form.each.values()):
            for percentile in form.percentiles:
                number = "" if percentile is None else f"{percentile:g}"
                words = dict(zip(form.each, choice, strict=True)) | {_PERCENTILE: number}
                name = _filled(form.name, words)
                published = known_name(_filled(form.published, words), values, "published number")
                low, high = _band(form, values[published])
                yield Claim(
                    name=name,
                    question=_filled(form.question, words),
                    published=published,
                    measure=_measure(form.measure, words, sweeps),
                    percentile=percentile,
                    low=low,
                    high=high,
                    basis=form.basis,
                    why=study.why.get(name, study.why.get(form.name, "")),
                )


def _filled(text: str, words: Mapping[str, str]) -> str:
    for key, word in words.items():
        text = text.replace(f"{{{key}}}", word)
    return text


def _band(form: _ClaimForm, value: float) -> tuple[float | None, float | None]:
    """Return the ends of the band: as given, or so many per cent of the published `value` on either side."""
    if form.within is None:
        return form.low, form.high
    return round(value * (1 - form.within / 100), 1), round(value * (1 + form.within / 100), 1)


def _measure(form: _MeasureForm, words: Mapping[str, str], sweeps: Mapping[str, Sweep]) -> Measure:
    sweep_name, profile_name = _filled(form.sweep, words), _filled(form.profile, words)
    if sweep_name:
        sweep = sweeps[known_name(sweep_name, sweeps, "sweep in the study")]
        known_name(profile_name, [profile.name for profile in sweep.profiles], f"profile in sweep {sweep_name!r}")
    return Measure(
        kind=form.kind,
        sweep=sweep_name,
        profile=profile_name,
        size_bytes=None if form.size is None else parse_size(_filled(form.size, words)),
        over=form.over,
        rtts=form.rtts,
    )


def _figure(form: _FigureForm, sweeps: Mapping[str, Sweep]) -> StudyFigure:
    for name in form.sweeps:
        known_name(name, sweeps, "sweep in the study")
    return StudyFigure(number=form.number, kind=form.kind, title=form.title, sweeps=form.sweeps)


def _lay_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> Table:
    """Return `under` with `over` laid on it, table by table; all else is replaced."""
    found = dict(under)
    for key, value in over.items():
        below = found.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        found[key] = _lay_over(below, value) if both and isinstance(below, Mapping) else value
    return found
