"""Phases of each sample, and the losses that can be inferred from them. Pure: tables in and out.

What a client can infer: a connect that took a second longer lost a SYN (or its answer); a TLS phase or a wait for the
first byte that took a retransmission time-out longer lost a flight or its tail; and if the client's own TCP
retransmitted meanwhile, it sent its ClientHello again.
"""

import polars as pl

from pqbed.stats.sample_grid import REACHED
from pqbed.store.table_schemas import SAMPLES

# Phase -> the milestones at its start and end, of a sample and of the cells table. Of most fetches no other ClientHello
# is asked for (HelloRetryRequest): the phase of that is null, and the next one starts where it would have.
ENDS: dict[str, tuple[str | None, str, str | None, str]] = {
    "connect": (None, "tcp_connect_ns", None, "lossless_connect_ns"),
    "hello_retry": ("tcp_connect_ns", "hello_retry_ns", "lossless_connect_ns", "lossless_hello_retry_ns"),
    "tls": ("hello_retry_ns", "tls_done_ns", "lossless_hello_retry_ns", "lossless_tls_done_ns"),
    "first_byte": ("tls_done_ns", "first_byte_ns", "lossless_tls_done_ns", "lossless_first_byte_ns"),
    "transfer": ("first_byte_ns", "last_byte_ns", "lossless_first_byte_ns", "lossless_ns"),
}
PHASES = tuple(ENDS)
AFTER_CONNECT = PHASES[1:]
_BEFORE = {end: start for start, end, *_ in ENDS.values()} | {end: start for *_, start, end in ENDS.values()}
_MAY_LACK = {"hello_retry_ns", "lossless_hello_retry_ns"}

# A SYN is sent again a second after it (RFC 6298), and then after twice as long each time; from Linux 6.5 on, four
# times more, a second apart, before that (tcp_syn_linear_timeouts). These are the sums: seconds from the first SYN.
EXPONENTIAL_S = (1, 3, 7, 15, 31, 63)
LINEAR_S = (1, 2, 3, 4, 5, 7, 11)
_LINEAR_FROM = 6 * 1000 + 5
_NS = 1_000_000_000
# TCP_RTO_MIN: no time-out is shorter than the RTT plus this (include/net/tcp.h).
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


def tabulate_sample_phases(samples: pl.LazyFrame, cells: pl.DataFrame) -> pl.LazyFrame:
    """Return one row per sample (SAMPLE_PHASES), in their order.

    `extra_*_rtts` is the time of a phase beyond that of a fetch without loss, in RTTs; null if unknown. `lost_syns`
    counts the SYNs that were not answered in time, `stalled_*` says that a phase took at least the shortest
    retransmission time-out longer, `hello_again` that the client's TCP retransmitted in such a TLS phase. Null: not
    reached.
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
    hello = pl.col("stalled_tls") | pl.col("stalled_hello_retry").fill_null(value=False)
    again = hello & (pl.col("retransmits") > pl.col("lost_syns"))
    return stalls.with_columns(hello_again=again).select(
        pl.col(name).cast(kind) for name, kind in SAMPLE_PHASES.items()
    )


def phases_of(*, retries: bool) -> tuple[str, ...]:
    """Return the phases of a cell in which the client is asked for another ClientHello, or is not."""
    return tuple(phase for phase in PHASES if retries or phase != "hello_retry")


def _length(start: str | None, end: str) -> pl.Expr:
    if start is None:
        return pl.col(end)
    return pl.col(end) - (pl.coalesce(start, _BEFORE[start]) if start in _MAY_LACK else pl.col(start))


def _extra_ns(phase: str) -> pl.Expr:
    _, _, start, end = ENDS[phase]
    return pl.col(f"phase_{phase}_ns") - _length(start, end)


def _rtt() -> pl.Expr:
    return pl.when(pl.col("rtt_ns") > 0).then("rtt_ns")


def _stalled(phase: str) -> pl.Expr:
    return _extra_ns(phase) >= pl.col("rtt_ns") + LEAST_WAIT_NS


def _lost_syns() -> pl.Expr:
    """Count the retransmissions of the SYN that were due before the connect, less a round trip."""
    waited = pl.col("tcp_connect_ns") - pl.coalesce("floor_connect_ns", "rtt_ns")
    number = pl.col("kernel").str.extract_groups(r"^(\d+)\.(\d+)").struct
    version = number.field("1").cast(pl.Int64) * 1000 + number.field("2").cast(pl.Int64)
    counts = [
        pl.sum_horizontal((waited >= second * _NS).cast(pl.Int64) for second in seconds)
        for seconds in (EXPONENTIAL_S, LINEAR_S)
    ]
    chosen = pl.when(version < _LINEAR_FROM).then(counts[0]).otherwise(counts[1])
    return pl.when(waited.is_not_null()).then(chosen).alias("lost_syns")
