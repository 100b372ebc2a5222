"""calibration.parquet: measurements of the links of a run, and their deviations."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import polars as pl

from pqbed.calibrate.binomial import proportion_interval
from pqbed.calibrate.deviations import Deviation, achieved_rate_bps, own_time_ns
from pqbed.calibrate.measurement import Calibration, DirectionMeasurement, LinkMeasurement, SenderMeasurement
from pqbed.calibrate.tolerances import INTERVAL_ALPHA
from pqbed.spec.json_codec import to_json
from pqbed.spec.link import PPM, Link
from pqbed.spec.tcp import Tcp

CALIBRATION_ID = "pqbed.calibration/1"
CALIBRATION_NAME = "calibration.parquet"

_COUNTS = ("sent", "lost", "reordered", "delay_count", "bulk_bytes", "bulk_sent_ns", "bulk_ns", "queue_packets")
_DIRECTION: dict[str, Any] = {
    **dict.fromkeys(_COUNTS, pl.Int64),
    "queue_full": pl.Boolean,
    "seed_repeats": pl.Boolean,
    # The quantiles of delays: 0%, 1%, ... 100%.
    "delays_ns": pl.List(pl.Int64),
    "rate_bps": pl.Int64,
    # The exact 95% interval of the loss.
    "loss_low_ppm": pl.Int64,
    "loss_high_ppm": pl.Int64,
}
_SENDER: dict[str, Any] = {
    "mtu": pl.Int64,
    "initcwnd": pl.Int64,
    "flight_segments": pl.Int64,
    "flight_frame_bytes": pl.Int64,
    "congestion_control": pl.String,
}

# One row per calibration. The request (link, tcp) and the kernel's read-back (applied) are JSON; `deviations` are lines
# of text, empty if the link is as requested.
CALIBRATION = pl.Schema(
    {
        "link_id": pl.String,
        "lane": pl.Int64,
        "measured_at": pl.String,
        "bed": pl.String,
        "clock": pl.String,
        "kernel": pl.String,
        "host": pl.String,
        "wrong": pl.Boolean,
        "deviations": pl.List(pl.String),
        "link": pl.String,
        "tcp": pl.String,
        "applied_client": pl.String,
        "applied_server": pl.String,
        # Of small datagrams, without their own serialisation time.
        "rtt_p50_ns": pl.Int64,
        "rtt_p99_ns": pl.Int64,
        **{f"{direction}_{name}": kind for direction in ("up", "down") for name, kind in _DIRECTION.items()},
        **{f"{side}_{name}": kind for side in ("client", "server") for name, kind in _SENDER.items()},
    }
)


def calibration_row(
    link: Link, tcp: Tcp, calibration: Calibration | None, deviations: Sequence[Deviation], **place: Any
) -> dict[str, Any]:
    """Return one row. `place`: the columns from `link_id` to `host`.

    `calibration` is None if nothing could be measured, which is a deviation.
    """
    row: dict[str, Any] = {
        **place,
        "wrong": bool(deviations),
        "deviations": [deviation.text for deviation in deviations],
        "link": _dump(link),
        "tcp": _dump(tcp),
    }
    if calibration is None:
        return row
    return {
        **row,
        "applied_client": _dump(calibration.state.client.applied),
        "applied_server": _dump(calibration.state.server.applied),
        **_measured_columns(calibration.measured),
    }


def _measured_columns(measured: LinkMeasurement) -> dict[str, Any]:
    own_ns = own_time_ns(measured.up) + own_time_ns(measured.down)
    p50_ns, p99_ns = measured.rtt_p50_ns, measured.rtt_p99_ns
    return {
        "rtt_p50_ns": None if p50_ns is None else max(0, p50_ns - own_ns),
        "rtt_p99_ns": None if p99_ns is None else max(0, p99_ns - own_ns),
        **_prefixed("up", _direction_columns(measured.up)),
        **_prefixed("down", _direction_columns(measured.down)),
        **_prefixed("client", _flat(measured.client)),
        **_prefixed("server", _flat(measured.server)),
    }


def _direction_columns(direction: DirectionMeasurement) -> dict[str, Any]:
    low, high = proportion_interval(direction.lost, direction.sent, INTERVAL_ALPHA)
    return {
        **_flat(direction),
        "delays_ns": list(direction.delays_ns),
        "rate_bps": achieved_rate_bps(direction),
        "loss_low_ppm": round(low * PPM),
        "loss_high_ppm": round(high * PPM),
    }


def _flat(value: DirectionMeasurement | SenderMeasurement) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _prefixed(prefix: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in columns.items()}


def _dump(value: object) -> str:
    return json.dumps(to_json(value), separators=(",", ":"))
