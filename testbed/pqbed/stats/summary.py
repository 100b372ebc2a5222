"""Samples and cells -> one row a cell (schema pqbed.summary/1).

A failed fetch, and one that ran into its time-out, is right-censored: it stays in its cell as longer than all that
succeeded. A quantile above the share that succeeded is null; none is computed from survivors alone.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from pqbed.stats.arms import Arms, compare_arms
from pqbed.stats.classify import DEFAULT_MARGIN, Margin
from pqbed.stats.grid import Grid, read_grid
from pqbed.stats.increases import DRAWS, SEED
from pqbed.stats.quantiles import Floats, quantile, quantile_interval
from pqbed.store.schema import BOUNDS, INCREASES, QUANTILES, SUMMARY

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
    """Return quantiles with 95 % intervals of each cell, and its increase against profile `baseline`.

    With the noise floor of its conditions, and what the increase amounts to within `margin`. A cell is compared
    with the baseline's cell under the same conditions, by blocks that both have. Raises SpecError where no cell is of
    `baseline`, StoreError where samples cannot be pooled.
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
        found = tabulate_quantiles(values, list(QUANTILES.values()))
        columns |= _named(found, [f"{prefix}{name}{{}}_ns" for name in QUANTILES])
        shares = [QUANTILES[name] for name in INCREASES]
        compared = compare_arms(values, arms, shares, margin, draws=draws, seed=seed)
        columns |= _named(compared.increases, [f"{prefix}increase_{name}{{}}_pct" for name in INCREASES])
        columns |= {f"{prefix}noise_{name}_pct": compared.noise_pct[place] for place, name in enumerate(INCREASES)}
        columns |= {f"{prefix}finding_{name}": compared.findings[place] for place, name in enumerate(INCREASES)}
    table = pl.DataFrame({name: columns[name] for name in SUMMARY}, schema_overrides=SUMMARY)
    return table.with_columns(pl.col(pl.Float64).fill_nan(None))


def tabulate_quantiles(values: Floats, shares: Sequence[float]) -> Floats:
    """Return the quantiles of each row and their intervals: shares x (point, low, high) x rows. NaN: not known."""
    found = np.full((len(shares), 3, values.shape[0]), math.nan)
    for row, cell in enumerate(values):
        ordered = np.sort(cell[~np.isnan(cell)])
        for place, share in enumerate(shares):
            found[place, :, row] = (quantile(ordered, share), *quantile_interval(ordered, share))
    found[np.isinf(found)] = math.nan
    return found


def count_pairs(grid: Grid, bases: Sequence[int | None]) -> list[int | None]:
    """Return how many blocks each cell shares with its baseline's; None where it has none."""
    present = ~np.isnan(grid.values["ttlb"])
    return [
        None if base is None else int(np.count_nonzero(present[arm] & present[base])) for arm, base in enumerate(bases)
    ]


def _named(found: Floats, patterns: Sequence[str]) -> dict[str, Floats]:
    return {
        pattern.format(bound): found[place, part]
        for place, pattern in enumerate(patterns)
        for part, bound in enumerate(BOUNDS)
    }
