"""cpu.parquet: CPU cost of profiles, measured in addition to a run in virtual time, apart from its samples."""

import polars as pl

CPU_ID = "pqbed.cpu/1"
CPU_NAME = "cpu.parquet"

# One row per fetch over an unshaped link (no delay, rate or loss) on the real clock: its times are CPU times.
CPU = pl.Schema(
    {
        "profile": pl.String,
        "size_bytes": pl.Int64,
        "lane": pl.Int64,
        "repetition": pl.Int64,
        "outcome": pl.String,
        "tls_done_ns": pl.Int64,
        "last_byte_ns": pl.Int64,
        "bed": pl.String,
        "kernel": pl.String,
        "host": pl.String,
    }
)
