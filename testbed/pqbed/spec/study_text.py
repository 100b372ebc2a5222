"""Studies from TOML: sweeps over common settings, claims of one percentile each, figures."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictBool, ValidationError

from pqbed.errors import SpecError
from pqbed.spec.names import known_name
from pqbed.spec.options import RunOptions
from pqbed.spec.presets import studies
from pqbed.spec.study import Claim, FigureKind, Measure, MeasureKind, Study, StudyFigure
from pqbed.spec.sweep import Sweep
from pqbed.spec.text import sweep_from
from pqbed.units import parse_size

Table = dict[str, Any]

# Stands for the percentile in the texts of a claim that has several.
_PERCENTILE = "{p}"
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
        samples=first_sweep.samples,
        seed=first_sweep.seed,
        sweeps=sweeps,
        claims=tuple(claim for one in form.claims for claim in _claims(one, form.why, sweeps)),
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


class _ClaimForm(_Form):
    name: str
    question: str
    published: str
    percentiles: tuple[float | None, ...] = (None,)
    low: float | None = None
    high: float | None = None
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
    settings: Table
    profiles: Table = {}
    sweeps: dict[str, Table]
    claims: tuple[_ClaimForm, ...]
    figures: tuple[_FigureForm, ...]
    why: dict[str, str] = {}


def _read_sweep(form: _StudyForm, name: str, axes: Table) -> tuple[Sweep, RunOptions]:
    try:
        # A study has the jitter that was published; its report names the mean RTT where that is cut (`cut_delays`).
        return sweep_from(
            {"aa": False, "cut_jitter": True, "name": form.name, "profiles": form.profiles, **form.settings, **axes}
        )
    except SpecError as error:
        raise SpecError(f"sweep {name!r} of the study: {error.message}", error.hint) from error


def _claims(form: _ClaimForm, why: Mapping[str, str], sweeps: Mapping[str, Sweep]) -> Iterator[Claim]:
    """Yield one claim a percentile. A reason may be given for all of them, or for one."""
    measure = _measure(form, sweeps)
    for percentile in form.percentiles:
        number = "" if percentile is None else f"{percentile:g}"
        name = form.name.replace(_PERCENTILE, number)
        yield Claim(
            name=name,
            question=form.question.replace(_PERCENTILE, number),
            published=form.published.replace(_PERCENTILE, number),
            measure=measure,
            percentile=percentile,
            low=form.low,
            high=form.high,
            basis=form.basis,
            why=why.get(name, why.get(form.name, "")),
        )


def _measure(form: _ClaimForm, sweeps: Mapping[str, Sweep]) -> Measure:
    asked = form.measure
    if asked.sweep:
        sweep = sweeps[known_name(asked.sweep, sweeps, "sweep in the study")]
        known_name(asked.profile, [profile.name for profile in sweep.profiles], f"profile in sweep {asked.sweep!r}")
    return Measure(
        kind=asked.kind,
        sweep=asked.sweep,
        profile=asked.profile,
        size_bytes=None if asked.size is None else parse_size(asked.size),
        over=asked.over,
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
