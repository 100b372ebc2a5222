"""Mixtures of a run's cells: each with its parts, and its increase over the same mixture of the baseline."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from pqbed.spec.axes import AXES, one_sided
from pqbed.spec.axis_words import from_row
from pqbed.spec.mixture import PROFILE, Mixture
from pqbed.stats.block_bootstrap import DRAWS, SEED
from pqbed.stats.bootstrap_estimates import BootstrapEstimate
from pqbed.stats.classify_difference import DEFAULT_MARGIN, Finding, Margin, classify_difference, noise_floor
from pqbed.stats.increases import Increase, estimated_increase
from pqbed.stats.mixture_estimates import mixed_mean, mixed_quantiles
from pqbed.stats.percentiles import percentile_name
from pqbed.stats.quantiles import Floats
from pqbed.stats.sample_grid import read_grid
from pqbed.store.table_schemas import CONDITIONS

MEAN = "mean"
Key = tuple[Any, ...]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One cell of a mixture: its share of one, and its own statistics by name (`p50`, `mean`); infinite: censored."""

    row: Row
    text: str
    share: float
    values: Mapping[str, float]
    base_values: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedStatistic:
    """A percentile or the mean of a mixture. `increase` None: it is the baseline's own, or there is none to compare."""

    name: str
    estimate: BootstrapEstimate
    increase: Increase | None = None
    noise_pct: float = math.nan
    finding: Finding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """A mixture under one set of conditions. `row` is one of its cells: what is not mixed is the same in all.

    `arm` is the profile, or the name of a mixture of profiles; `blocks` those that all its parts have.
    """

    mixture: Mixture
    key: Key
    row: Row
    arm: str
    baseline: str | None
    blocks: int
    n_ok: int
    n: int
    parts: tuple[Part, ...]
    statistics: tuple[MixedStatistic, ...]

    def statistic(self, name: str) -> MixedStatistic:
        return next(one for one in self.statistics if one.name == name)


def mix_cells(
    samples: pl.LazyFrame,
    cells: pl.DataFrame,
    mixtures: Sequence[Mixture],
    percentiles: Sequence[float],
    *,
    baseline: str,
    milestone: str = "ttlb",
    margin: Margin = DEFAULT_MARGIN,
    draws: int = DRAWS,
    seed: int = SEED,
) -> list[Mixed]:
    """Return every mixture under every set of conditions that the cells have all parts for, A/A arms left out."""
    if not mixtures or cells.is_empty():
        return []
    grid = read_grid(samples, cells, [milestone])
    counts = grid.counts.to_dicts()
    rows = [{**row, **counts[place]} for place, row in enumerate(cells.to_dicts())]
    mixer = _Mixer(rows, grid.values[milestone], percentiles, draws, seed)
    return [mixed for mixture in mixtures for mixed in _by_conditions(mixer.mix(mixture, baseline, margin))]


def _by_conditions(mixed: Iterable[Mixed]) -> list[Mixed]:
    """Put the arms under the same conditions beside each other."""
    groups: dict[Key, list[Mixed]] = {}
    for one in mixed:
        groups.setdefault(one.key[:-1], []).append(one)
    return list(itertools.chain.from_iterable(groups.values()))


class _Member(NamedTuple):
    """One part of a mixture: its cell, the place of that in the grid, its values in words, its share of one."""

    row: Row
    place: int
    text: str
    share: float


class _Mixer:
    """Mixes cells of one run: `values` are those of `rows` (cells x blocks)."""

    def __init__(
        self, rows: Sequence[Row], values: Floats, percentiles: Sequence[float], draws: int, seed: int
    ) -> None:
        self._rows = rows
        self._values = values
        self._percentiles = percentiles
        self._draws = draws
        self._seed = seed

    def mix(self, mixture: Mixture, baseline: str, margin: Margin) -> Iterator[Mixed]:
        of_profiles = PROFILE in mixture.options
        groups = self._groups(mixture)
        bases = self._groups(replace(mixture, weights=_without_profiles(mixture))) if of_profiles else groups
        copies = {key[:-1]: group for key, group in bases.items() if group[0].row["copy_of"] is not None}
        originals = {(key[:-1], key[-1]): group for key, group in bases.items()}
        for key, group in groups.items():
            row = group[0].row
            if row["copy_of"] is not None:
                continue
            where = _conditions_of(mixture, row)
            base = originals.get((where, baseline))
            own = not of_profiles and row["profile"] == baseline
            copy = copies.get(where)
            original = originals.get((where, copy[0].row["copy_of"])) if copy else None
            yield self._mixed(
                mixture,
                (mixture.name, *key),
                group,
                base=None if own else base,
                again=(copy, original) if copy and original else None,
                baseline=baseline,
                margin=margin,
            )

    def _groups(self, mixture: Mixture) -> dict[Key, list[_Member]]:
        """Return the parts of the mixture by what they have in common: row, its place, text and share of each.

        A set of conditions that lacks a part is left out.
        """
        by_values: dict[Key, dict[Key, tuple[Row, int]]] = {}
        for place, row in enumerate(self._rows):
            values = tuple(_value(option, row) for option in mixture.options)
            arm = () if PROFILE in mixture.options else (row["profile"],)
            by_values.setdefault((*_conditions_of(mixture, row), *arm), {})[values] = (row, place)
        parts = list(mixture.parts())
        groups = {}
        for key, members in by_values.items():
            wanted = [(members.get(tuple(share.value for share in shares)), shares, part) for shares, part in parts]
            if all(found is not None for found, _, _ in wanted):
                groups[key] = [
                    _Member(*found, ", ".join(share.text for share in shares), part)
                    for found, shares, part in wanted
                    if found
                ]
        # A mixture of profiles has no profile in its key: its groups end with its name, for the same form.
        return {(*key, mixture.name): group for key, group in groups.items()} if PROFILE in mixture.options else groups

    def _mixed(
        self,
        mixture: Mixture,
        key: Key,
        group: Sequence[_Member],
        *,
        base: Sequence[_Member] | None,
        again: tuple[Any, Any] | None,
        baseline: str,
        margin: Margin,
    ) -> Mixed:
        together = [group, *([base] if base else []), *(again or ())]
        present = np.all([~np.isnan(self._values[member.place]) for each in together for member in each], axis=0)
        estimates = self._estimate(group, present)
        of_base = self._estimate(base, present) if base else None
        of_copies = [self._estimate(each, present) for each in again] if again else None
        row = group[0].row
        statistics = []
        for name, estimate in estimates.items():
            noise = noise_floor(estimated_increase(*(one[name] for one in of_copies)) if of_copies else None)
            increase = None if of_base is None else estimated_increase(estimate, of_base[name])
            statistics.append(
                MixedStatistic(
                    name=name,
                    estimate=estimate,
                    increase=increase,
                    noise_pct=noise,
                    finding=None if increase is None else classify_difference(increase, noise, margin),
                )
            )
        return Mixed(
            mixture=mixture,
            key=key,
            row=row,
            arm=mixture.name if PROFILE in mixture.options else row["profile"],
            baseline=baseline if base else None,
            blocks=int(np.count_nonzero(present)),
            n_ok=sum(member.row["n_ok"] for member in group),
            n=sum(member.row["n"] for member in group),
            parts=tuple(self._parts(group, base, present)),
            statistics=tuple(statistics),
        )

    def _estimate(self, group: Sequence[_Member], present: Any) -> dict[str, BootstrapEstimate]:
        values = self._values[[member.place for member in group]][:, present]
        shares = [member.share for member in group]
        qs = [percentile / 100 for percentile in self._percentiles]
        quantiles = mixed_quantiles(values, shares, qs, self._draws, self._seed)
        names = [percentile_name(percentile) for percentile in self._percentiles]
        return dict(zip(names, quantiles, strict=True)) | {MEAN: mixed_mean(values, shares, self._draws, self._seed)}

    def _parts(
        self,
        group: Sequence[_Member],
        base: Sequence[_Member] | None,
        present: Any,
    ) -> Iterator[Part]:
        # A baseline of a mixture of profiles has other parts.
        alike = base if base is not None and len(base) == len(group) else [None] * len(group)
        for member, other in zip(group, alike, strict=True):
            yield Part(
                row=member.row,
                text=member.text,
                share=member.share,
                values=self._alone(member.place, present),
                base_values=None if other is None else self._alone(other.place, present),
            )

    def _alone(self, place: int, present: Any) -> dict[str, float]:
        ordered = np.sort(self._values[place][present])
        if not ordered.size:
            return {}
        names = [percentile_name(percentile) for percentile in self._percentiles]
        ranks = [math.ceil(percentile / 100 * ordered.size) - 1 for percentile in self._percentiles]
        return {name: float(ordered[rank]) for name, rank in zip(names, ranks, strict=True)} | {
            MEAN: float(ordered.mean())
        }


def _without_profiles(mixture: Mixture) -> tuple[Any, ...]:
    return tuple(weighted for weighted in mixture.weights if weighted.option != PROFILE)


def _conditions_of(mixture: Mixture, row: Row) -> Key:
    """Return the conditions of a cell that are not mixed. A mixture of named links mixes all that links differ in."""
    mixed = {name for option in mixture.options if option != PROFILE for name in _columns(option)}
    return tuple(row[name] for name in CONDITIONS if name not in mixed)


def _columns(option: str) -> list[str]:
    axes = [AXES[option], *one_sided(AXES[option])]
    if option == "link":
        axes = [axis for axis in AXES.values() if axis.part == "link"]
    return [name for axis in axes for name in axis.columns]


def _value(option: str, row: Row) -> Any:
    return row["profile"] if option == PROFILE else from_row(row)(AXES[option])
