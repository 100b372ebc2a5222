"""The tables of a run. Columns may be added; a renamed or changed one needs a new number.

Times in ns, rates in bit/s, probabilities in ppm, sizes in bytes, increases in per cent.
"""

from dataclasses import fields
from typing import Any, get_args

import polars as pl

from pqbed.errors import StoreError
from pqbed.spec.axes import AXES
from pqbed.spec.json_codec import from_json
from pqbed.spec.sample import Fetch, Outcome, Sample, Timings

SAMPLES_ID = "pqbed.samples/1"
CELLS_ID = "pqbed.cells/1"
SUMMARY_ID = "pqbed.summary/1"

OUTCOMES: tuple[str, ...] = get_args(Outcome)
FAILURES = tuple(outcome for outcome in OUTCOMES if outcome != "ok")
QUANTILES = {"p50": 0.50, "p75": 0.75, "p90": 0.90}
INCREASES = ("p50", "p75", "p90")
BOUNDS = ("", "_low", "_high")

_FETCH = tuple(field.name for field in fields(Fetch))
_TIMINGS = tuple(field.name for field in fields(Timings))
_PLACE = tuple(field.name for field in fields(Sample) if field.name not in {"fetch", "timings"})

SAMPLES = pl.Schema(
    {
        "cell_id": pl.String,
        "block": pl.Int64,
        "repetition": pl.Int64,
        "lane": pl.Int64,
        "seed": pl.UInt64,
        "outcome": pl.String,
        "detail": pl.String,
        "tcp_connect_ns": pl.Int64,
        "tls_done_ns": pl.Int64,
        "first_byte_ns": pl.Int64,
        "last_byte_ns": pl.Int64,
        "body_bytes": pl.Int64,
        "http_status": pl.Int64,
        "group": pl.String,
        "signature": pl.String,
        "retransmits": pl.Int64,
        "lost": pl.Int64,
        "tcp_rtt_ns": pl.Int64,
        "cwnd": pl.Int64,
        "queue_drops": pl.Int64,
        "provider": pl.String,
        "client_provider": pl.String,
        "bed": pl.String,
        "clock": pl.String,
        "kernel": pl.String,
        "host": pl.String,
        # Of the runner's host, on the real clock alone: null in virtual time.
        "cpu_pressure_ppm": pl.Int64,
        "cpu_steal_ppm": pl.Int64,
        "cpu_throttled_ppm": pl.Int64,
        "pressed": pl.Boolean,
        "signature_provider": pl.String,
        "client_signature_provider": pl.String,
        "ecn_marks": pl.Int64,
        "hello_retry": pl.Boolean,
        "hello_retry_ns": pl.Int64,
        "quic_initials": pl.Int64,
        "quic_unvalidated_bytes": pl.Int64,
        "quic_blocked_ns": pl.Int64,
        "quic_lost": pl.Int64,
        "quic_rtt_ns": pl.Int64,
        "quic_cwnd_bytes": pl.Int64,
    }
)

_KINDS: dict[type, pl.DataType] = {int: pl.Int64(), str: pl.String(), bool: pl.Boolean()}


# What makes two cells arms of one comparison: they differ in the profile alone.
CONDITIONS = pl.Schema(
    {
        name: _KINDS[kind]
        for late in (False, True)
        for axis in AXES.values()
        for name, kind in axis.columns.items()
        if (name in axis.late) == late
    }
)

# What the kernel confirmed, and what a probe saw: named after the condition they belong to.
APPLIED = ("rtt_ns", "bandwidth_bps", "loss_ppm", "jitter_ns", "queue", "bandwidth_up_bps", "loss_up_ppm")
# `limit` is what netem held in all, `frame_bytes` the mean size of the frames of the server's first flight.
ACHIEVED = (
    "rtt_ns",
    "bandwidth_bps",
    "loss_ppm",
    "bandwidth_up_bps",
    "loss_up_ppm",
    "limit",
    "limit_up",
    "mtu",
    "initcwnd_server",
    "initcwnd_client",
    "frame_bytes",
)

_ARM = pl.Schema(
    {
        "cell_id": pl.String,
        "profile": pl.String,
        "stack": pl.String,
        "group": pl.String,
        "chain": pl.String,
        "chain_depth": pl.Int64,
        "chain_wire_bytes": pl.Int64,
        "mutual": pl.Boolean,
        "client_chain": pl.String,
        "client_chain_wire_bytes": pl.Int64,
        "client_stack": pl.String,
        # Of the A/A arm: the profile it is a second copy of.
        "copy_of": pl.String,
        # What is calibrated as one: the link and the TCP settings of its ends.
        "link_id": pl.String,
        "link_name": pl.String,
        # As OpenSSL writes them: `*` marks the groups that the client sends key shares for.
        "groups": pl.String,
        "server_groups": pl.String,
        "hello_retry_expected": pl.Boolean,
    }
)
_READ_BACK = pl.Schema(
    {
        "link_applied": pl.Boolean,
        **{f"applied_{name}": pl.Int64 for name in APPLIED},
        **{f"achieved_{name}": pl.Int64 for name in ACHIEVED},
        "achieved_congestion_control": pl.String,
        # Of the calibration; null where the link was not calibrated.
        "link_wrong": pl.Boolean,
        "link_deviations": pl.String,
    }
)
# What fetches are held against (model/floor_and_expectation.py): floors, the times of a fetch that loses nothing, and
# its TTLB again where the model knows all of the cell. Null where not known.
BOUNDED = pl.Schema(
    dict.fromkeys(
        (
            *("floor_connect_ns", "floor_tls_done_ns", "floor_ns"),
            *(
                "lossless_connect_ns",
                "lossless_hello_retry_ns",
                "lossless_tls_done_ns",
                "lossless_first_byte_ns",
                "lossless_ns",
            ),
            "expected_ns",
        ),
        pl.Int64(),
    )
)
# What was learned from one fetch at the start (tls/wire_sizes.py), records as `BYTES` or `BYTESxNUMBER` in order.
LEARNED = pl.Schema(
    {
        "client_hello_bytes": pl.Int64,
        "server_flight_bytes": pl.Int64,
        "client_flight_bytes": pl.Int64,
        "request_bytes": pl.Int64,
        "response_header_bytes": pl.Int64,
        "server_flight_records": pl.String,
        "client_flight_records": pl.String,
        "response_records": pl.String,
        "ticket_records": pl.String,
        "hello_retry_bytes": pl.Int64,
        "second_hello_bytes": pl.Int64,
        "hello_retry_records": pl.String,
        "second_hello_records": pl.String,
        "client_hello_segments": pl.Int64,
    }
)
ASKED = pl.Schema([*_ARM.items(), *CONDITIONS.items()])
CELLS = pl.Schema([*ASKED.items(), *_READ_BACK.items(), *BOUNDED.items(), *LEARNED.items()])

SUMMARY = pl.Schema(
    {
        "cell_id": pl.String,
        "profile": pl.String,
        "baseline": pl.String,
        "n": pl.Int64,
        "n_ok": pl.Int64,
        "n_failed": pl.Int64,
        **{f"n_{outcome}": pl.Int64 for outcome in FAILURES},
        **{f"{name}{bound}_ns": pl.Float64 for name in QUANTILES for bound in BOUNDS},
        **{f"handshake_{name}{bound}_ns": pl.Float64 for name in QUANTILES for bound in BOUNDS},
        "pairs": pl.Int64,
        **{f"increase_{name}{bound}_pct": pl.Float64 for name in INCREASES for bound in BOUNDS},
        **{f"handshake_increase_{name}{bound}_pct": pl.Float64 for name in INCREASES for bound in BOUNDS},
        # What the A/A arm differs by at most, and what an increase amounts to beside it and within the margin.
        "margin": pl.String,
        **{f"{metric}noise_{name}_pct": pl.Float64 for metric in ("", "handshake_") for name in INCREASES},
        **{f"{metric}finding_{name}": pl.String for metric in ("", "handshake_") for name in INCREASES},
    }
)


def sample_to_row(sample: Sample) -> dict[str, Any]:
    """Return `sample` as one flat row, in the order of the columns."""
    row = {name: getattr(sample.fetch, name) for name in _FETCH}
    row |= {name: getattr(sample.timings, name) for name in _TIMINGS}
    row |= {name: getattr(sample, name) for name in _PLACE}
    return {name: row[name] for name in SAMPLES}


def sample_from_row(row: dict[str, Any]) -> Sample:
    """Return the sample that `row` is. Raises SpecError where it is none."""
    return Sample(
        fetch=from_json(Fetch, {name: row[name] for name in _FETCH}),
        timings=from_json(Timings, {name: row[name] for name in _TIMINGS if name in row}),
        **{name: row[name] for name in _PLACE},
    )


def check_id(found: str | None, known: str, where: object) -> None:
    """Raise StoreError unless `found` is `known` or an older number of the same schema."""
    name, _, number = known.rpartition("/")
    found_name, _, found_number = (found or "").rpartition("/")
    if found_name != name or not found_number.isdecimal():
        raise StoreError(f"{where} is not of schema {name}", "name a run directory that pqbed made")
    if int(found_number) > int(number):
        raise StoreError(
            f"{where} is of schema {found}, newer than the {known} this pqbed reads",
            "read it with the pqbed version that its manifest.json names, or a later one",
        )


def conform(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Return the columns of `schema`, in its order and types; those that `frame` lacks are null."""
    columns = [
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in schema.items()
    ]
    return frame.select(columns)
