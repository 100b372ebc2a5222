"""Rows of calibration.parquet: what was measured, without the own time of the datagrams it was measured with."""

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from pqbed.beds.fake_calibration import fake_measurement
from pqbed.calibrate.measurement import Calibration
from pqbed.net.link_state import EndState, LinkState
from pqbed.spec.link import Link, RandomLoss
from pqbed.spec.link_end_shape import shape_end
from pqbed.spec.link_sides import SIDES
from pqbed.spec.tcp import Tcp
from pqbed.store.calibration_table import CALIBRATION, calibration_row
from pqbed.store.table_schemas import conform

LINK = Link(rtt_ns=35_000_000, bandwidth_bps=1_000_000, loss=RandomLoss(probability_ppm=100_000))
PLACE: dict[str, Any] = {
    "link_id": "a",
    "lane": 0,
    "measured_at": "now",
    "bed": "fake",
    "clock": "virtual",
    "kernel": "",
    "host": "",
}


def calibration(**changes: Any) -> Calibration:
    shapes = [shape_end(LINK, Tcp(), side, 1) for side in SIDES]
    client, server = (EndState(asked=shape, applied=shape, text="") for shape in shapes)
    measured = replace(fake_measurement(LINK, Tcp()), **changes)
    return Calibration(measured=measured, state=LinkState(client=client, server=server))


def test_round_trips_are_those_of_the_link_without_the_datagrams_own_time() -> None:
    row = calibration_row(LINK, Tcp(), calibration(), [], **PLACE)
    assert row["rtt_p50_ns"] == pytest.approx(35_000_000, rel=1e-6)
    assert row["rtt_p99_ns"] == pytest.approx(35_000_000, rel=1e-6)
    assert not row["wrong"]
    assert conform(pl.DataFrame([row], schema_overrides=CALIBRATION), CALIBRATION).height == 1


def test_what_could_not_be_measured_is_null_and_nothing_is_below_zero() -> None:
    row = calibration_row(LINK, Tcp(), calibration(rtt_p50_ns=None, rtt_p99_ns=1), [], **PLACE)
    assert (row["rtt_p50_ns"], row["rtt_p99_ns"]) == (None, 0)
    bare = calibration_row(LINK, Tcp(), None, [], **PLACE)
    assert "rtt_p50_ns" not in bare


def test_the_interval_of_a_loss_holds_it() -> None:
    row = calibration_row(LINK, Tcp(), calibration(), [], **PLACE)
    assert 0 < row["up_loss_low_ppm"] < 100_000 < row["up_loss_high_ppm"] < 1_000_000
