"""Two runs, cell by cell. They share no blocks, so each is drawn on its own."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from pqbed.errors import SpecError
from pqbed.stats.bootstrap import DRAWS, SEED, Increase, independent_increase
from pqbed.stats.grid import Grid, read_grid
from pqbed.stats.percentiles import percentile_name
from pqbed.stats.quantiles import Floats, quantile
from pqbed.store.manifest import Manifest
from pqbed.store.run import Run
from pqbed.store.schema import ASKED

# What two runs must have in common to be compared, unless one asks for just that difference.
MUST_AGREE = ("bed", "clock", "kernel", "images")

# Timings are stored far finer than they are known: a difference below this is none.
NEGLIGIBLE_PCT = 0.05

# What a cell is, whatever version of pqbed named it.
_KEY = [name for name in ASKED if name not in {"cell_id", "chain_wire_bytes"}]
_NOT_IMAGES = ("kernel", "source")

COMPARED = pl.Schema(
    [
        *((name, ASKED[name]) for name in _KEY),
        ("percentile", pl.String),
        *((name, pl.Int64) for name in ("n_a", "n_b", "n_ok_a", "n_ok_b")),
        *((name, pl.Float64) for name in ("a_ns", "b_ns", "change_pct", "change_low_pct", "change_high_pct")),
        ("change", pl.String),
    ]
)


def refuse_mixed(a: Manifest, b: Manifest, across: Collection[str] = ()) -> None:
    """Raise SpecError where the runs differ in what would be taken for a change of what was measured.

    `across` names what may differ, of MUST_AGREE.
    """
    unknown = sorted(set(across) - set(MUST_AGREE))
    if unknown:
        raise SpecError(f"across: there is no {unknown[0]!r}", f"choose from {', '.join(MUST_AGREE)}")
    facts = {name: (_fact(a, name), _fact(b, name)) for name in MUST_AGREE if name not in across}
    differing = {name: pair for name, pair in facts.items() if pair[0] != pair[1]}
    if differing:
        told = "; ".join(f"{name}: {one} and {other}" for name, (one, other) in differing.items())
        raise SpecError(
            f"the runs cannot be compared, they differ in {told}",
            f"measure both alike, or compare over that difference on purpose with --across {','.join(differing)}",
        )


def compare_runs(
    a: Run,
    b: Run,
    percentiles: Sequence[float],
    *,
    across: Collection[str] = (),
    milestone: str = "ttlb",
    draws: int = DRAWS,
    seed: int = SEED,
) -> pl.DataFrame:
    """Return one row for each percentile of each cell that both runs have (COMPARED): how much slower `b` is.

    Raises SpecError where the runs may not be compared, or have no cell in common.
    """
    refuse_mixed(a.manifest, b.manifest, across)
    cells = [run.cells().collect() for run in (a, b)]
    places = [_places(table) for table in cells]
    shared = [key for key in places[0] if key in places[1]]
    if not shared:
        raise SpecError("the runs have no cell in common", "compare runs of the same sweep, or of overlapping ones")
    grids = [read_grid(run.samples(), table, [milestone]) for run, table in zip((a, b), cells, strict=True)]
    rows = []
    for key in shared:
        sides = [_Side(grid, milestone, place[key]) for grid, place in zip(grids, places, strict=True)]
        rows += _rows(key, sides, percentiles, draws, seed)
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


def _rows(
    key: tuple[Any, ...], sides: Sequence[_Side], percentiles: Sequence[float], draws: int, seed: int
) -> list[dict[str, Any]]:
    a, b = sides
    shares = [percentile / 100 for percentile in percentiles]
    changes = independent_increase(b.values, a.values, shares, draws, seed)
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
            "change": word_change(change),
        }
        for percentile, change in zip(percentiles, changes, strict=True)
    ]


def word_change(change: Increase) -> str:
    """Return `slower` or `faster` where the interval leaves no doubt, `same` where it holds nothing of any size.

    `undecided`: it holds 0 and more; `unknown`: there is no interval.
    """
    if -NEGLIGIBLE_PCT < change.low <= change.high < NEGLIGIBLE_PCT:
        return "same"
    if change.low > 0:
        return "slower"
    if change.high < 0:
        return "faster"
    return "undecided" if change.low <= 0 <= change.high else "unknown"


def _places(cells: pl.DataFrame) -> dict[tuple[Any, ...], int]:
    return {key: row for row, key in enumerate(cells.select(_KEY).rows())}


def _fact(manifest: Manifest, name: str) -> str:
    if name == "images":
        return ", ".join(f"{k} {v}" for k, v in sorted(manifest.artefacts.items()) if k not in _NOT_IMAGES) or "none"
    return str(getattr(manifest, name)) or "unknown"
