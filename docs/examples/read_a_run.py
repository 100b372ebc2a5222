# /// script
# dependencies = ["altair", "duckdb", "marimo", "polars"]
# ///
"""Read a run with polars and with DuckDB: a marimo notebook.

marimo edit docs/examples/read_a_run.py -- --run results/RUN      # in a browser
python docs/examples/read_a_run.py --run results/RUN              # or as a script
"""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    from pathlib import Path

    import altair as alt
    import duckdb
    import marimo as mo
    import polars as pl

    return Path, alt, duckdb, mo, pl


@app.cell
def _(Path, mo):
    newest = max(Path("results").glob("*/manifest.json"), default=None)
    run = Path(mo.cli_args().get("run") or (newest.parent if newest else "results"))
    mo.md(f"# {run.name}\n\nA run is a folder of Parquet files: `cells` has a row per cell, `samples` one per fetch.")
    return (run,)


@app.cell
def _(mo):
    mo.md("## polars\n\nA failed fetch has no time. It counts as slower than all others: the median is of all fetches.")


@app.cell
def _(pl, run):
    cells = pl.scan_parquet(run / "cells.parquet").filter(pl.col("copy_of").is_null())
    samples = pl.scan_parquet(run / "samples" / "*.parquet").filter(pl.col("outcome") != "lost")
    time = pl.when(pl.col("outcome") == "ok").then(pl.col("last_byte_ns") / 1e6).otherwise(float("inf"))
    with_polars = (
        samples.join(cells, on="cell_id")
        .group_by("profile", "rtt_ns", "bandwidth_bps", "size_bytes")
        .agg(fetches=pl.len(), median_ms=time.median())
        .sort("rtt_ns", "bandwidth_bps", "size_bytes", "profile")
        .collect()
    )
    with_polars
    return cells, samples, with_polars


@app.cell
def _(mo):
    mo.md("## DuckDB\n\nThe same in SQL, straight from the files.")


@app.cell
def _(duckdb, pl, run):
    relation = duckdb.sql(
        f"""
        SELECT profile, rtt_ns, bandwidth_bps, size_bytes, count(*) AS fetches,
               quantile_cont(CASE WHEN outcome = 'ok' THEN last_byte_ns / 1e6 ELSE 'inf'::DOUBLE END, 0.5) AS median_ms
        FROM '{run}/samples/*.parquet' AS samples JOIN '{run}/cells.parquet' AS cells USING (cell_id)
        WHERE outcome <> 'lost' AND copy_of IS NULL
        GROUP BY ALL ORDER BY rtt_ns, bandwidth_bps NULLS FIRST, size_bytes, profile
        """
    )
    with_duckdb = pl.DataFrame(relation.fetchall(), schema=relation.columns, orient="row")
    with_duckdb
    return (with_duckdb,)


@app.cell
def _(mo):
    mo.md(
        "## What it costs\n\n`summary.parquet` has the medians with their intervals, and the increases over the "
        "baseline, paired by block: do not divide two medians by hand if you want an interval."
    )


@app.cell
def _(cells, pl, run):
    summary = pl.scan_parquet(run / "summary.parquet").drop("profile")
    increases = (
        cells.join(summary, on="cell_id")
        .filter(pl.col("baseline").is_not_null())
        .select("profile", "rtt_ns", "bandwidth_bps", "size_bytes", pl.col("^increase_p50.*_pct$"), "finding_p50")
        .collect()
    )
    increases
    return (increases,)


@app.cell
def _(alt, increases, pl):
    chart = (
        alt.Chart(increases.with_columns(size_kib=pl.col("size_bytes") / 1024, rtt_ms=pl.col("rtt_ns") / 1e6))
        .mark_line(point=True)
        .encode(x="size_kib:Q", y="increase_p50_pct:Q", color="profile:N", strokeDash="rtt_ms:N")
    )
    chart
    return (chart,)


if __name__ == "__main__":
    app.run()
