"""Samples of each cell reduced to one row: counts, TTLB, phases and effects of loss."""

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from pqbed.stats.cell_groups import group_samples
from pqbed.stats.connection_phases import AFTER_CONNECT, PHASES, tabulate_sample_phases

TTLB_PERCENTILES = {"p50": 0.5, "p90": 0.9}


def aggregate_samples(samples: pl.LazyFrame, table: pl.DataFrame) -> dict[str, Mapping[str, Any]]:
    """Return one row for each cell that has a sample, by id.

    `table` is the cells table with floors and expected times. Columns: samples, failed, timeouts (none of them lost);
    `ttlb_<p>_ns`, null if it is censored by failed fetches; `phase_<phase>_ns` and `extra_<phase>_rtts`, medians over
    the samples that have them; connected, lost_syns (number -> samples), hello_again, stalled_<phase>, untouched.
    """
    rows: dict[str, Mapping[str, Any]] = {}
    for some in group_samples(samples):
        tables = pl.collect_all([_times(some), _phases(some, table)], engine="streaming")
        for row in tables[0].join(tables[1], on="cell_id", how="left").to_dicts():
            rows[row["cell_id"]] = row | {
                **{name: _finite(row[name]) for name in _ttlb_columns()},
                "lost_syns": {syns["lost_syns"]: syns["count"] for syns in row["lost_syns"]},
            }
    return rows


def _times(samples: pl.LazyFrame) -> pl.LazyFrame:
    done = pl.when(pl.col("outcome") == "ok").then("last_byte_ns").cast(pl.Float64).fill_null(math.inf)
    quantiles = zip(_ttlb_columns(), TTLB_PERCENTILES.values(), strict=True)
    return (
        samples.filter(pl.col("outcome") != "lost")
        .group_by("cell_id")
        .agg(
            pl.len().alias("samples"),
            (pl.col("outcome") != "ok").sum().alias("failed"),
            (pl.col("outcome") == "timeout").sum().alias("timeouts"),
            *(done.quantile(q, "linear").alias(name) for name, q in quantiles),
        )
    )


def _phases(samples: pl.LazyFrame, table: pl.DataFrame) -> pl.LazyFrame:
    waits = [pl.col(f"stalled_{phase}").fill_null(value=False) for phase in AFTER_CONNECT]
    touched = pl.any_horizontal(*waits, pl.col("lost_syns") > 0)
    medians = [name for phase in PHASES for name in (f"phase_{phase}_ns", f"extra_{phase}_rtts")]
    phases = tabulate_sample_phases(samples, table)
    return (
        phases.with_columns(untouched=~touched & (pl.col("outcome") == "ok"))
        .group_by("cell_id")
        .agg(
            *(pl.col(name).cast(pl.Float64).quantile(0.5, "linear") for name in medians),
            pl.col("lost_syns").count().alias("connected"),
            pl.col("lost_syns").filter(pl.col("lost_syns") > 0).value_counts(),
            *(pl.col(name).sum() for name in ("hello_again", *(f"stalled_{phase}" for phase in AFTER_CONNECT))),
            pl.col("untouched").sum(),
        )
    )


def _ttlb_columns() -> list[str]:
    return [f"ttlb_{name}_ns" for name in TTLB_PERCENTILES]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
