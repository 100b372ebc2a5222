"""Summary of a run: one row per cell (schema pqbed.summary/1).

A failed fetch, timeouts included, is right-censored: it stays in its cell as longer than all that succeeded. A quantile
above the share that succeeded is null; none is computed from survivors only.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from pqbed.stats.block_bootstrap import DRAWS, SEED
from pqbed.stats.classify_difference import DEFAULT_MARGIN, Margin
from pqbed.stats.compare_arms import Arms, compare_arms
from pqbed.stats.quantiles import Floats, quantile, quantile_interval
from pqbed.stats.sample_grid import Grid, read_grid
from pqbed.store.table_schemas import BOUNDS, INCREASES, QUANTILES, SUMMARY

# Prefix of the columns -> milestone.
_METRICS = {"": "ttlb", "handshake_": "handshake"}


def summarise(
    samples: pl.LazyFrame | pl.DataFrame,
    cells: pl.LazyFrame | pl.DataFrame,
    baseline: str,
    *,
    margin: Margin = DEFAULT_MARGIN,
    draws: int = DRAWS,
    seed: int = SEED,
) -> pl.DataFrame:
    """Return quantiles with 95% intervals of each cell, and its increase over profile `baseline`.

    Includes the noise floor of its conditions, and the finding for `margin`. A cell is compared with the baseline's
    cell under the same conditions, by blocks that both have. Raises SpecError if no cell is of `baseline`, StoreError
    if samples cannot be pooled.
    """
    cell_table = cells.lazy().collect()
    arms = Arms.of(cell_table, baseline)
    grid = read_grid(samples.lazy(), cell_table, tuple(_METRICS.values()))
    columns: dict[str, Any] = {
        "cell_id": cell_table["cell_id"],
        "profile": cell_table["profile"],
        "baseline": [baseline if base is not None else None for base in arms.bases],
        "margin": [str(margin)] * cell_table.height,
        **grid.counts.to_dict(),
        "pairs": count_pairs(grid, arms.bases),
    }
    for prefix, metric in _METRICS.items():
        values = grid.values[metric]
        quantile_table = tabulate_quantiles(values, list(QUANTILES.values()))
        columns |= _named(quantile_table, [f"{prefix}{name}{{}}_ns" for name in QUANTILES])
        qs = [QUANTILES[name] for name in INCREASES]
        compared = compare_arms(values, arms, qs, margin, draws=draws, seed=seed)
        columns |= _named(compared.increases, [f"{prefix}increase_{name}{{}}_pct" for name in INCREASES])
        columns |= {f"{prefix}noise_{name}_pct": compared.noise_pct[place] for place, name in enumerate(INCREASES)}
        columns |= {f"{prefix}finding_{name}": compared.findings[place] for place, name in enumerate(INCREASES)}
    table = pl.DataFrame({name: columns[name] for name in SUMMARY}, schema_overrides=SUMMARY)
    return table.with_columns(pl.col(pl.Float64).fill_nan(None))


def tabulate_quantiles(values: Floats, qs: Sequence[float]) -> Floats:
    """Return the quantiles of each row and their intervals: quantiles x (point, low, high) x rows. NaN: not known."""
    table = np.full((len(qs), 3, values.shape[0]), math.nan)
    for row, cell in enumerate(values):
        ordered = np.sort(cell[~np.isnan(cell)])
        for place, q in enumerate(qs):
            table[place, :, row] = (quantile(ordered, q), *quantile_interval(ordered, q))
    table[np.isinf(table)] = math.nan
    return table


def count_pairs(grid: Grid, bases: Sequence[int | None], milestone: str = "ttlb") -> list[int | None]:
    """Return how many blocks each cell shares with its baseline's; None without a baseline."""
    present = ~np.isnan(grid.values[milestone])
    return [
        None if base is None else int(np.count_nonzero(present[arm] & present[base])) for arm, base in enumerate(bases)
    ]


def _named(table: Floats, patterns: Sequence[str]) -> dict[str, Floats]:
    return {
        pattern.format(bound): table[place, part]
        for place, pattern in enumerate(patterns)
        for part, bound in enumerate(BOUNDS)
    }
