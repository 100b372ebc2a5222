"""precision.parquet: samples and precision of each comparison of a run with a precision."""

import polars as pl

from pqbed.store.table_schemas import CONDITIONS

PRECISION_ID = "pqbed.precision/1"
PRECISION_NAME = "precision.parquet"

# One row per comparison, with the id of its baseline's cell. `samples` per cell, `fetches` of all its cells;
# `half_width_pct` is that of the widest 95% interval of an increase at p50, null without an interval.
PRECISION = pl.Schema(
    [
        ("cell_id", pl.String),
        *CONDITIONS.items(),
        ("samples", pl.Int64),
        ("fetches", pl.Int64),
        ("half_width_pct", pl.Float64),
        ("precision_pct", pl.Float64),
        ("standing", pl.String),
    ]
)
