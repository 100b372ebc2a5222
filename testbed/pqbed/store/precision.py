"""precision.parquet: what each comparison of a run with a precision took, and how precise it became."""

import polars as pl

from pqbed.store.schema import CONDITIONS

PRECISION_ID = "pqbed.precision/1"
PRECISION_NAME = "precision.parquet"

# One row a comparison, named after its baseline's cell. `samples` are those of each of its cells, `fetches` of all;
# `half_width_pct` is that of the widest 95 % interval of an increase at p50, null where there is none.
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
