"""Table of percentiles of a milestone with intervals and increases: one row per cell and percentile."""

from collections.abc import Sequence

import polars as pl

from pqbed.errors import SpecError
from pqbed.stats.block_bootstrap import DRAWS, SEED
from pqbed.stats.classify_difference import DEFAULT_MARGIN, Margin
from pqbed.stats.compare_arms import Arms, compare_arms
from pqbed.stats.run_summary import count_pairs, tabulate_quantiles
from pqbed.stats.sample_grid import Grid
from pqbed.store.table_schemas import BOUNDS

DEFAULT_PERCENTILES = (50.0, 75.0, 90.0)

# The values of a count or of bytes are no times: `value_ns` holds them as they are.
# `censored`: too many of the cell's fetches failed, so the percentile is larger than any observed value.
PERCENTILES = pl.Schema(
    {
        "cell_id": pl.String,
        "profile": pl.String,
        "baseline": pl.String,
        "milestone": pl.String,
        "percentile": pl.String,
        "share": pl.Float64,
        "n": pl.Int64,
        "n_ok": pl.Int64,
        "censored": pl.Boolean,
        **{f"value{bound}_ns": pl.Float64 for bound in BOUNDS},
        "pairs": pl.Int64,
        **{f"increase{bound}_pct": pl.Float64 for bound in BOUNDS},
        "noise_pct": pl.Float64,
        "finding": pl.String,
    }
)


def percentile_name(percentile: float) -> str:
    """Return `p50`, `p99.9`. Raises SpecError unless between 0 and 100."""
    if not 0 < percentile < 100:
        raise SpecError(f"{percentile:g} is not a percentile", "give numbers between 0 and 100, for example 50,90,99.9")
    return f"p{percentile:g}"


def parse_percentiles(text: str) -> tuple[float, ...]:
    """Parse `50,90` or `p50,p99.9`. Raises SpecError."""
    percentiles: dict[float, None] = {}
    for item in text.split(","):
        number = item.strip().removeprefix("p")
        try:
            percentile = float(number)
        except ValueError:
            raise SpecError(f"{item.strip()!r} is not a percentile", "give numbers, for example 50,90,99.9") from None
        percentile_name(percentile)
        percentiles[percentile] = None
    return tuple(percentiles)


def tabulate_percentiles(
    grid: Grid,
    cells: pl.DataFrame,
    baseline: str,
    percentiles: Sequence[float] = DEFAULT_PERCENTILES,
    *,
    milestone: str = "ttlb",
    margin: Margin = DEFAULT_MARGIN,
    draws: int = DRAWS,
    seed: int = SEED,
) -> pl.DataFrame:
    """Return one row per cell and percentile (PERCENTILES), cell by cell. Raises SpecError as `summarise` does."""
    arms = Arms.of(cells, baseline)
    qs = [percentile / 100 for percentile in percentiles]
    names = [percentile_name(percentile) for percentile in percentiles]
    values = grid.values[milestone]
    table_of_quantiles = tabulate_quantiles(values, qs)
    compared = compare_arms(values, arms, qs, margin, draws=draws, seed=seed)
    common = pl.DataFrame(
        {
            "cell_id": cells["cell_id"],
            "profile": cells["profile"],
            "baseline": pl.Series([None if base is None else baseline for base in arms.bases], dtype=pl.String),
            "n": grid.counts["n"],
            "n_ok": grid.counts["n_ok"],
            "pairs": pl.Series(count_pairs(grid, arms.bases, milestone), dtype=pl.Int64),
        }
    ).with_row_index("row")
    parts = [
        common.with_columns(
            milestone=pl.lit(milestone),
            percentile=pl.lit(names[place]),
            share=pl.lit(qs[place]),
            **{f"value{bound}_ns": pl.Series(table_of_quantiles[place, part]) for part, bound in enumerate(BOUNDS)},
            **{f"increase{bound}_pct": pl.Series(compared.increases[place, part]) for part, bound in enumerate(BOUNDS)},
            noise_pct=pl.Series(compared.noise_pct[place]),
            finding=pl.Series(compared.findings[place], dtype=pl.String),
        )
        for place in range(len(qs))
    ]
    table = pl.concat(parts).sort("row", maintain_order=True).with_columns(pl.col(pl.Float64).fill_nan(None))
    censored = (pl.col("n") > 0) & pl.col("value_ns").is_null()
    return table.with_columns(censored=censored).select(pl.col(name).cast(kind) for name, kind in PERCENTILES.items())
