"""TTLB against physics, exact because the guest's clock is virtual: the host's load cannot move a result."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.units import MS

pytestmark = pytest.mark.uml

RTT_NS = 200 * MS
NS_A_BYTE = 8 * 1000  # at 1 Mbit/s
ETHERNET_FRAME_BYTES = 1500 + 14

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def fetched(uml_guest_run: Callable[..., Rows]) -> Rows:
    return uml_guest_run(Path(__file__).with_name("guest_ttlb.py"))


def of(rows: Rows, case: str, profile: str) -> Rows:
    return [row for row in rows if (row["case"], row["profile"]) == (case, profile)]


@pytest.mark.parametrize("profile", ["classical", "pq"])
def test_handshake_takes_two_rtt(fetched: Rows, profile: str) -> None:
    (row,) = of(fetched, "fast", profile)
    assert 35.0 * MS <= row["tcp_connect_ns"] <= 35.1 * MS
    assert 70.0 * MS <= row["tls_done_ns"] <= 70.1 * MS


@pytest.mark.parametrize("profile", ["classical", "pq"])
def test_ttlb_is_three_rtt_and_the_bytes_on_the_wire(fetched: Rows, profile: str) -> None:
    (row,) = of(fetched, "slow", profile)
    expected_ns = 3 * RTT_NS + (row["down"] + row["up"]) * NS_A_BYTE
    assert expected_ns <= row["last_byte_ns"] <= 1.005 * expected_ns


def test_loss_of_ten_per_cent_is_dear(fetched: Rows) -> None:
    for profile in ("classical", "pq"):
        (without,) = of(fetched, "slow", profile)
        lossy = of(fetched, "lossy", profile)
        assert {row["outcome"] for row in lossy} == {"ok"}
        p50, p90 = np.quantile([row["last_byte_ns"] for row in lossy], [0.5, 0.9])
        assert p50 > 1.5 * without["last_byte_ns"]
        assert p90 > 2 * without["last_byte_ns"]


def test_no_frame_is_larger_than_the_mtu(fetched: Rows) -> None:
    assert max(row["largest"] for row in fetched) == ETHERNET_FRAME_BYTES


def test_group_and_signature_are_the_profiles(fetched: Rows) -> None:
    for profile, group, signature in (
        ("classical", "x25519", "rsa_pss_rsae_sha256"),
        ("pq", "X25519MLKEM768", "mldsa65"),
    ):
        rows = [row for row in fetched if row["profile"] == profile and row["outcome"] == "ok"]
        assert {(row["group"], row["signature"], row["http_status"]) for row in rows} == {(group, signature, 200)}


def test_a_server_that_dies_costs_one_sample(fetched: Rows) -> None:
    outcomes = {case: of(fetched, case, "classical")[0]["outcome"] for case in ("before", "killed", "after")}
    assert outcomes == {"before": "ok", "killed": "server_down", "after": "ok"}
