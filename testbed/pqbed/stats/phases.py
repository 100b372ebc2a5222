"""Where the time of each sample went: its phases, and the losses that can be told from them. Pure: tables in and out.

What a client can know: a connect that took a second more lost a SYN (or its answer); a TLS phase or a wait for the
first byte that took a retransmission time-out more lost a flight or its tail; and where the client's own TCP
retransmitted meanwhile, it sent its ClientHello again.
"""

import polars as pl

from pqbed.stats.grid import REACHED
from pqbed.store.schema import SAMPLES

# Phase -> the milestones of a sample at its begin and end, and those of the cells table.
ENDS: dict[str, tuple[str | None, str, str | None, str]] = {
    "connect": (None, "tcp_connect_ns", None, "lossless_connect_ns"),
    "tls": ("tcp_connect_ns", "tls_done_ns", "lossless_connect_ns", "lossless_tls_done_ns"),
    "first_byte": ("tls_done_ns", "first_byte_ns", "lossless_tls_done_ns", "lossless_first_byte_ns"),
    "transfer": ("first_byte_ns", "last_byte_ns", "lossless_first_byte_ns", "lossless_ns"),
}
PHASES = tuple(ENDS)
AFTER_CONNECT = PHASES[1:]

# A SYN is sent again a second after it (RFC 6298), and then after twice as long each time; from Linux 6.5 on, four
# times more after a second before that (tcp_syn_linear_timeouts). These are the sums: seconds from the first SYN.
EXPONENTIAL_S = (1, 3, 7, 15, 31, 63)
LINEAR_S = (1, 2, 3, 4, 5, 7, 11)
_LINEAR_FROM = 6 * 1000 + 5
_NS = 1_000_000_000
# TCP_RTO_MIN: no time-out is shorter than the RTT and this (include/net/tcp.h).
LEAST_WAIT_NS = 200_000_000

SAMPLE_PHASES = pl.Schema(
    {
        **{name: SAMPLES[name] for name in ("cell_id", "block", "repetition", "outcome")},
        **{f"phase_{name}_ns": pl.Int64() for name in PHASES},
        **{f"extra_{name}_rtts": pl.Float64() for name in PHASES},
        "lost_syns": pl.Int64(),
        "hello_again": pl.Boolean(),
        **{f"stalled_{name}": pl.Boolean() for name in AFTER_CONNECT},
    }
)


def classify(samples: pl.LazyFrame, cells: pl.DataFrame) -> pl.LazyFrame:
    """Return one row a sample (SAMPLE_PHASES), in their order.

    `extra_*_rtts` is what a phase took beyond a fetch without loss, in RTTs; null where that is not known. `lost_syns`
    counts the SYNs that had no answer in time, `stalled_*` tells that a phase took at least the shortest retransmission
    time-out more, `hello_again` that the client's TCP sent something again in such a TLS phase. Null: not reached.
    """
    known = ("rtt_ns", "floor_connect_ns", *(end for *_, end in ENDS.values()))
    asked = cells.lazy().select("cell_id", *known)
    reached = pl.col("outcome").is_in(REACHED)
    marks = [pl.when(reached).then(name).alias(name) for _, name, _, _ in ENDS.values() if name != "last_byte_ns"]
    last = pl.when(pl.col("outcome") == "ok").then("last_byte_ns").alias("last_byte_ns")
    joined = samples.join(asked, on="cell_id", how="left", maintain_order="left").with_columns(*marks, last)
    lengths = [_length(start, end).alias(f"phase_{name}_ns") for name, (start, end, _, _) in ENDS.items()]
    parts = joined.with_columns(*lengths)
    extras = parts.with_columns(*((_extra_ns(name) / _rtt()).alias(f"extra_{name}_rtts") for name in PHASES))
    stalls = extras.with_columns(*(_stalled(name).alias(f"stalled_{name}") for name in AFTER_CONNECT), _lost_syns())
    again = pl.col("stalled_tls") & (pl.col("retransmits") > pl.col("lost_syns"))
    return stalls.with_columns(hello_again=again).select(
        pl.col(name).cast(kind) for name, kind in SAMPLE_PHASES.items()
    )


def _length(start: str | None, end: str) -> pl.Expr:
    return pl.col(end) if start is None else pl.col(end) - pl.col(start)


def _extra_ns(phase: str) -> pl.Expr:
    _, _, start, end = ENDS[phase]
    return pl.col(f"phase_{phase}_ns") - _length(start, end)


def _rtt() -> pl.Expr:
    return pl.when(pl.col("rtt_ns") > 0).then("rtt_ns")


def _stalled(phase: str) -> pl.Expr:
    return _extra_ns(phase) >= pl.col("rtt_ns") + LEAST_WAIT_NS


def _lost_syns() -> pl.Expr:
    """Count the times at which a SYN was sent again that lie before the connect, less what a round trip takes."""
    waited = pl.col("tcp_connect_ns") - pl.coalesce("floor_connect_ns", "rtt_ns")
    number = pl.col("kernel").str.extract_groups(r"^(\d+)\.(\d+)").struct
    version = number.field("1").cast(pl.Int64) * 1000 + number.field("2").cast(pl.Int64)
    counts = [
        pl.sum_horizontal((waited >= second * _NS).cast(pl.Int64) for second in seconds)
        for seconds in (EXPONENTIAL_S, LINEAR_S)
    ]
    chosen = pl.when(version < _LINEAR_FROM).then(counts[0]).otherwise(counts[1])
    return pl.when(waited.is_not_null()).then(chosen).alias("lost_syns")
