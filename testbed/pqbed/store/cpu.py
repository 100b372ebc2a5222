"""cpu.parquet: what each profile costs in CPU, measured beside a run in virtual time and never among its samples."""

import polars as pl

CPU_ID = "pqbed.cpu/1"
CPU_NAME = "cpu.parquet"

# One row a fetch over a bare link (no delay, no rate, no loss) in real time: the times are those of the CPUs alone.
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
