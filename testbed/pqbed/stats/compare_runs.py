"""Comparison of two runs, cell by cell. They share no blocks, so each is resampled independently."""

import functools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from pqbed.errors import SpecError
from pqbed.stats.block_bootstrap import DRAWS, SEED
from pqbed.stats.classify_difference import DEFAULT_MARGIN, Finding, Margin, classify_difference, noise_floor
from pqbed.stats.increases import Increase, independent_increase
from pqbed.stats.percentiles import percentile_name
from pqbed.stats.quantiles import Floats, quantile
from pqbed.stats.sample_grid import Grid, find_copies, read_grid
from pqbed.store.manifest import Manifest
from pqbed.store.run_directory import Run
from pqbed.store.table_schemas import ASKED

# What must agree between two runs, unless --across names it.
MUST_AGREE = ("bed", "clock", "kernel", "images")

# What identifies a cell across versions of pqbed, which may name it differently.
_KEY = [name for name in ASKED if name not in {"cell_id", "chain_wire_bytes", "copy_of", "link_name"}]
Key = tuple[Any, ...]
Differ = Callable[[Floats, Floats], list[Increase]]
_NOT_IMAGES = ("kernel", "source")

COMPARED = pl.Schema(
    [
        *((name, ASKED[name]) for name in _KEY),
        ("cell_id_b", ASKED["cell_id"]),
        ("percentile", pl.String),
        *((name, pl.Int64) for name in ("n_a", "n_b", "n_ok_a", "n_ok_b")),
        *((name, pl.Float64) for name in ("a_ns", "b_ns", "change_pct", "change_low_pct", "change_high_pct")),
        ("noise_pct", pl.Float64),
        ("finding", pl.String),
    ]
)


def refuse_mixed(a: Manifest, b: Manifest, across: Collection[str] = ()) -> None:
    """Raise SpecError if the runs differ in what could be mistaken for an effect.

    `across` names what may differ, of MUST_AGREE.
    """
    unknown = sorted(set(across) - set(MUST_AGREE))
    if unknown:
        raise SpecError(f"--across: there is no {unknown[0]!r}", f"choose from {', '.join(MUST_AGREE)}")
    facts = {name: (_fact(a, name), _fact(b, name)) for name in MUST_AGREE if name not in across}
    differing = {name: pair for name, pair in facts.items() if pair[0] != pair[1]}
    if differing:
        differences = "; ".join(f"{name}: {fact_a} and {fact_b}" for name, (fact_a, fact_b) in differing.items())
        raise SpecError(
            f"the runs cannot be compared: they differ in {differences}",
            f"measure both under the same conditions, or allow the difference with --across {','.join(differing)}",
        )


def compare_runs(
    a: Run,
    b: Run,
    percentiles: Sequence[float],
    *,
    across: Collection[str] = (),
    milestone: str = "ttlb",
    margin: Margin = DEFAULT_MARGIN,
    draws: int = DRAWS,
    seed: int = SEED,
) -> pl.DataFrame:
    """Return one row per percentile and cell that both runs have (COMPARED): how much slower `b` is.

    A/A arms are not compared: they give the noise floor, the larger of the two runs'.

    Raises SpecError if the runs may not be compared, or have no cell in common.
    """
    refuse_mixed(a.manifest, b.manifest, across)
    cells = [run.cells().collect() for run in (a, b)]
    keys_of_b, ids_of_b = _places(cells[1]), cells[1]["cell_id"]
    shared = [key for key in _places(cells[0]) if key in keys_of_b]
    if not shared:
        raise SpecError("the runs have no cell in common", "compare runs of the same sweep, or of overlapping ones")
    sides_of = [_Sides(run, table, milestone) for run, table in zip((a, b), cells, strict=True)]
    qs = [percentile / 100 for percentile in percentiles]
    differ = functools.partial(independent_increase, qs=qs, draws=draws, seed=seed)
    rows = []
    for key in shared:
        sides = [sides.cell(key) for sides in sides_of]
        changes = _changes(sides, [sides.copies(key) for sides in sides_of], differ, margin)
        named = {"cell_id_b": ids_of_b[keys_of_b[key]]}
        rows += [{**named, **row} for row in _rows(key, sides, percentiles, changes)]
    return pl.DataFrame(rows, schema=COMPARED).with_columns(pl.col(pl.Float64).fill_nan(None))


class _Side:
    """One cell in one run."""

    def __init__(self, grid: Grid, milestone: str, row: int) -> None:
        values = grid.values[milestone][row]
        self.values: Floats = values[~np.isnan(values)]
        self.counts: Mapping[str, int] = grid.counts.row(row, named=True)

    def at(self, percentile: float) -> float | None:
        value = quantile(np.sort(self.values), percentile / 100)
        return value if np.isfinite(value) else None


class _Sides:
    """The cells of one run by key."""

    def __init__(self, run: Run, cells: pl.DataFrame, milestone: str) -> None:
        self._grid = read_grid(run.samples(), cells, [milestone])
        self._milestone = milestone
        self._places = _places(cells)
        self._copies = find_copies(cells)

    def cell(self, key: Key) -> _Side:
        return self._side(self._places[key])

    def copies(self, key: Key) -> list[_Side]:
        """Return the A/A arm under the conditions of a cell and its original; empty without an A/A arm."""
        return [self._side(row) for row in self._copies[self._places[key]] or ()]

    def _side(self, row: int) -> _Side:
        return _Side(self._grid, self._milestone, row)


class _Change(NamedTuple):
    """The change of a percentile, and its noise floor (infinite or NaN: not known)."""

    change: Increase
    noise_pct: float
    finding: Finding


def _changes(
    sides: Sequence[_Side], copies: Sequence[Sequence[_Side]], differ: Differ, margin: Margin
) -> list[_Change]:
    """Compare the two sides of a cell, one change per percentile.

    `copies` are the A/A pairs of the two runs. They are compared like the runs, without shared blocks: a floor from
    paired blocks would miss the noise that two runs do not share.
    """
    a, b = sides
    changes = differ(b.values, a.values)
    again = [differ(pair[0].values, pair[1].values) if pair else [None] * len(changes) for pair in copies]
    floors = [float(np.fmax(noise_floor(in_a), noise_floor(in_b))) for in_a, in_b in zip(*again, strict=True)]
    return [
        _Change(change, floor, classify_difference(change, floor, margin))
        for change, floor in zip(changes, floors, strict=True)
    ]


def _rows(
    key: Key, sides: Sequence[_Side], percentiles: Sequence[float], changes: Sequence[_Change]
) -> list[dict[str, Any]]:
    a, b = sides
    return [
        {
            **dict(zip(_KEY, key, strict=True)),
            "percentile": percentile_name(percentile),
            **{f"{name}_{side}": cell.counts[name] for name in ("n", "n_ok") for side, cell in (("a", a), ("b", b))},
            "a_ns": a.at(percentile),
            "b_ns": b.at(percentile),
            "change_pct": change.point,
            "change_low_pct": change.low,
            "change_high_pct": change.high,
            "noise_pct": noise_pct if math.isfinite(noise_pct) else math.nan,
            "finding": finding,
        }
        for percentile, (change, noise_pct, finding) in zip(percentiles, changes, strict=True)
    ]


def _places(cells: pl.DataFrame) -> dict[Key, int]:
    rows = zip(cells.select(_KEY).rows(), cells["copy_of"], strict=True)
    return {key: row for row, (key, copy_of) in enumerate(rows) if copy_of is None}


def _fact(manifest: Manifest, name: str) -> str:
    if name == "images":
        return ", ".join(f"{k} {v}" for k, v in sorted(manifest.artefacts.items()) if k not in _NOT_IMAGES) or "none"
    return str(getattr(manifest, name)) or "unknown"
