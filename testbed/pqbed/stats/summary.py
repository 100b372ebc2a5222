"""Samples and cells -> one row a cell (schema pqbed.summary/1).

A failed fetch, and one that ran into its time-out, is right-censored: it stays in its cell as longer than all that
succeeded. A quantile above the share that succeeded is null; none is computed from survivors alone.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pqbed.errors import SpecError, StoreError
from pqbed.stats.bootstrap import DRAWS, SEED, Increase, Pair, paired_increases
from pqbed.stats.quantiles import Floats, quantile, quantile_interval
from pqbed.store.schema import BOUNDS, CONDITIONS, FAILURES, INCREASES, QUANTILES, SUMMARY

# A handshake that ended counts also where the transfer after it did not.
HANDSHAKE_DONE = ("ok", "timeout", "reset", "short_body")

_METRICS = {"": "ttlb", "handshake_": "handshake"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Values by cell and block, in ns. NaN: no sample; infinite: censored."""

    ttlb: Floats
    handshake: Floats


def summarise(
    samples: pl.LazyFrame | pl.DataFrame,
    cells: pl.LazyFrame | pl.DataFrame,
    baseline: str,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> pl.DataFrame:
    """Return quantiles with 95 % intervals of each cell, and its increase against profile `baseline`.

    A cell is compared with the baseline's cell under the same conditions, by blocks that both have. Raises
    SpecError where no cell is of `baseline`, StoreError where samples cannot be pooled.
    """
    cell_table = cells.lazy().collect()
    _check_baseline(cell_table, baseline)
    sample_table = _read_samples(samples.lazy(), cell_table)
    grid = _grid(sample_table, cell_table.height)
    bases = _baselines(cell_table, baseline)
    columns: dict[str, Any] = {
        "cell_id": cell_table["cell_id"],
        "profile": cell_table["profile"],
        "baseline": [baseline if base is not None else None for base in bases],
        **_counts(sample_table, cell_table.height),
        **_quantile_columns(grid),
        **_increase_columns(grid, bases, draws, seed),
    }
    table = pl.DataFrame({name: columns[name] for name in SUMMARY}, schema_overrides=SUMMARY)
    return table.with_columns(pl.col(pl.Float64).fill_nan(None))


def _check_baseline(cells: pl.DataFrame, baseline: str) -> None:
    profiles = cells["profile"].unique(maintain_order=True).to_list()
    if baseline not in profiles:
        raise SpecError(f"no cell has the profile {baseline!r}", f"choose the baseline among {', '.join(profiles)}")


def _read_samples(samples: pl.LazyFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Return what is needed of the samples, with their cell's row in `cell`. Refuses what cannot be pooled."""
    numbers = cells.lazy().select("cell_id").with_row_index("cell")
    wanted = samples.select("cell_id", "block", "outcome", "clock", "tls_done_ns", "last_byte_ns")
    table = wanted.join(numbers, on="cell_id", how="left").collect()
    if table["cell"].null_count():
        raise StoreError("there are samples of cells that the cells table lacks", "read both from one run")
    if table["clock"].n_unique() > 1:
        raise StoreError("samples of the real and of the virtual clock cannot be pooled", "summarise each run alone")
    if table.select("cell", "block").is_duplicated().any():
        raise StoreError("a cell has two samples in one block", "summarise each run alone")
    return table


def _grid(samples: pl.DataFrame, cell_count: int) -> Grid:
    outcome = pl.col("outcome")
    ttlb = pl.when(outcome == "ok").then("last_byte_ns").cast(pl.Float64).fill_null(math.inf)
    handshake = pl.when(outcome.is_in(HANDSHAKE_DONE)).then("tls_done_ns").cast(pl.Float64).fill_null(math.inf)
    values = samples.select("cell", column=pl.col("block").rank("dense") - 1, ttlb=ttlb, handshake=handshake)
    place = (values["cell"].to_numpy(), values["column"].to_numpy())
    blocks = samples["block"].n_unique()
    grids = {}
    for name in ("ttlb", "handshake"):
        grids[name] = np.full((cell_count, blocks), math.nan)
        grids[name][place] = values[name].to_numpy()
    return Grid(**grids)


def _baselines(cells: pl.DataFrame, baseline: str) -> list[int | None]:
    """Return for each cell the row of the one it is compared with; None for the baseline's own."""
    conditions = cells.select(list(CONDITIONS)).rows()
    profiles = cells["profile"].to_list()
    rows = {where: row for row, where in enumerate(conditions) if profiles[row] == baseline}
    return [None if profiles[row] == baseline else rows.get(where) for row, where in enumerate(conditions)]


def _counts(samples: pl.DataFrame, cell_count: int) -> dict[str, Any]:
    cell, outcome = samples["cell"].to_numpy(), samples["outcome"].to_numpy()
    n = np.bincount(cell, minlength=cell_count)
    each = {name: np.bincount(cell[outcome == name], minlength=cell_count) for name in ("ok", *FAILURES)}
    return {"n": n, "n_failed": n - each["ok"], **{f"n_{name}": count for name, count in each.items()}}


def _quantile_columns(grid: Grid) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {}
    for prefix, metric in _METRICS.items():
        rows = [np.sort(row[~np.isnan(row)]) for row in getattr(grid, metric)]
        for name, share in QUANTILES.items():
            found = [(quantile(row, share), *quantile_interval(row, share)) for row in rows]
            for place, bound in enumerate(BOUNDS):
                columns[f"{prefix}{name}{bound}_ns"] = [_finite(triple[place]) for triple in found]
    return columns


def _increase_columns(grid: Grid, bases: list[int | None], draws: int, seed: int) -> dict[str, Any]:
    pairs = [(arm, base) for arm, base in enumerate(bases) if base is not None]
    present = ~np.isnan(grid.ttlb)
    common = {pair: int(np.count_nonzero(present[pair[0]] & present[pair[1]])) for pair in pairs}
    columns: dict[str, Any] = {"pairs": [common.get((arm, base or 0)) for arm, base in enumerate(bases)]}
    shares = [QUANTILES[name] for name in INCREASES]
    for prefix, metric in _METRICS.items():
        found = paired_increases(getattr(grid, metric), pairs, shares, draws, seed)
        for place, name in enumerate(INCREASES):
            rows = [_triple(found, (arm, base), place) for arm, base in enumerate(bases)]
            for part, bound in enumerate(BOUNDS):
                columns[f"{prefix}increase_{name}{bound}_pct"] = [row[part] for row in rows]
    return columns


def _triple(found: dict[Pair, list[Increase]], pair: tuple[int, int | None], place: int) -> tuple[float, float, float]:
    arm, base = pair
    if base is None:
        return math.nan, math.nan, math.nan
    increase = found[arm, base][place]
    return increase.point, increase.low, increase.high


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
