"""Samples made by hand, and which losses are told from their phases."""

from typing import Any

import polars as pl
import pytest

from pqbed.stats.connection_phases import PHASES, SAMPLE_PHASES, tabulate_sample_phases
from pqbed.store.table_schemas import CELLS, SAMPLES, conform
from support.units import MS

RTT = 100
# A fetch that loses nothing: 100 ms to connect, 110 of TLS, 120 to the first byte, 300 of transfer.
CELL = conform(
    pl.DataFrame(
        {
            "cell_id": ["a"],
            "rtt_ns": [RTT * MS],
            "floor_connect_ns": [100 * MS],
            "lossless_connect_ns": [100 * MS],
            "lossless_tls_done_ns": [210 * MS],
            "lossless_first_byte_ns": [330 * MS],
            "lossless_ns": [630 * MS],
        }
    ),
    CELLS,
)
AFTER_RETRY = ("lossless_tls_done_ns", "lossless_first_byte_ns", "lossless_ns")
LOSSLESS = (100, 110, 120, 300)


def phases_of(*lengths_ms: float, cells: pl.DataFrame = CELL, **fields: Any) -> dict[str, Any]:
    """Classify one sample whose phases take this long; None ends it."""
    at = 0.0
    marks: dict[str, int] = {}
    names = ("tcp_connect_ns", "tls_done_ns", "first_byte_ns", "last_byte_ns")
    for name, length in zip(names, lengths_ms, strict=False):
        at += length
        marks[name] = round(at * MS)
    row = {"cell_id": "a", "outcome": "ok", "kernel": "7.3.4", "retransmits": 0, **marks, **fields}
    (found,) = tabulate_sample_phases(conform(pl.DataFrame([row]), SAMPLES).lazy(), cells).collect().to_dicts()
    return found


def extras(found: dict[str, Any]) -> list[Any]:
    return [found[f"extra_{name}_rtts"] for name in ("connect", "tls", "first_byte", "transfer")]


def stalled(found: dict[str, Any]) -> list[bool]:
    return [found[f"stalled_{name}"] for name in ("tls", "first_byte", "transfer")]


def test_a_hello_retry_request_is_a_phase_of_its_own() -> None:
    cells = CELL.with_columns(
        lossless_hello_retry_ns=pl.lit(200 * MS), **{name: pl.col(name) + 100 * MS for name in AFTER_RETRY}
    )
    found = phases_of(100, 210, 120, 300, cells=cells, hello_retry_ns=200 * MS)
    assert [found[f"phase_{name}_ns"] // MS for name in PHASES] == [100, 100, 110, 120, 300]
    assert [found[f"extra_{name}_rtts"] for name in PHASES] == [0] * 5
    late = phases_of(100, 610, 120, 300, cells=cells, hello_retry_ns=600 * MS, retransmits=1)
    assert (late["stalled_hello_retry"], late["stalled_tls"], late["hello_again"]) == (True, False, True)
    assert phases_of(*LOSSLESS)["phase_hello_retry_ns"] is None


def test_phases_add_up_to_the_ttlb() -> None:
    found = phases_of(*LOSSLESS)
    assert tuple(found) == tuple(SAMPLE_PHASES)
    assert [found[f"phase_{name}_ns"] // MS for name in ("connect", "tls", "first_byte", "transfer")] == [*LOSSLESS]
    assert extras(found) == [0, 0, 0, 0]
    assert (found["lost_syns"], found["hello_again"], stalled(found)) == (0, False, [False] * 3)


@pytest.mark.parametrize(
    ("kernel", "connect_ms", "lost"),
    [
        ("7.3.4", 1099.999, 0),
        ("7.3.4", 1100, 1),
        ("7.3.4", 1164, 1),  # the timer wheel is late by up to 64 ms
        ("6.5.0-x", 2100, 2),
        ("7.3.4", 3100, 3),
        ("7.3.4", 7100, 6),
        ("6.4.9", 2100, 1),
        ("5.15.153.1-microsoft-standard", 3100, 2),
        ("6.1.0-18-amd64", 7100, 3),
        ("fake-1", 2100, 2),
    ],
)
def test_a_lost_syn_costs_a_second_and_the_next_what_the_kernel_waits(
    kernel: str, connect_ms: float, lost: int
) -> None:
    assert phases_of(connect_ms, 110, 120, 300, kernel=kernel, retransmits=lost)["lost_syns"] == lost


def test_a_round_trip_more_is_told_in_rtts() -> None:
    found = phases_of(100, 210, 120, 350)
    assert extras(found) == [0, 1, 0, 0.5]
    assert stalled(found) == [False] * 3


@pytest.mark.parametrize(("more_ms", "stall"), [(299, False), (300, True)])
def test_a_phase_stalls_that_takes_the_shortest_time_out_more(more_ms: int, stall: bool) -> None:
    """The RTT and 200 ms."""
    for place in (1, 2, 3):
        lengths = [length + more_ms * (number == place) for number, length in enumerate(LOSSLESS)]
        assert stalled(phases_of(*lengths)) == [stall and number == place for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("connect_ms", "tls_ms", "retransmits", "again"),
    [
        (100, 410, 1, True),
        (100, 410, 0, False),  # the server's flight was lost
        (1100, 410, 1, False),  # the one is the SYN
        (1100, 410, 2, True),
        (100, 110, 1, False),  # it sent its second flight again
    ],
)
def test_a_client_hello_is_sent_again_where_the_client_retransmits_in_a_stalled_handshake(
    connect_ms: int, tls_ms: int, retransmits: int, again: bool
) -> None:
    assert phases_of(connect_ms, tls_ms, 120, 300, retransmits=retransmits)["hello_again"] is again


def test_what_was_not_reached_has_no_phase() -> None:
    found = phases_of(1100, outcome="timeout")
    assert (found["phase_connect_ns"], found["lost_syns"]) == (1100 * MS, 1)
    assert [found["phase_tls_ns"], found["phase_transfer_ns"], found["stalled_tls"]] == [None, None, None]
    assert phases_of(*LOSSLESS, outcome="wrong_group")["phase_connect_ns"] is None


def test_a_run_from_before_there_were_floors_still_tells_lost_syns() -> None:
    old = CELL.with_columns(pl.lit(None, pl.Int64).alias(name) for name in CELLS if name.startswith(("floor", "loss")))
    found = phases_of(1100, 110, 120, 300, cells=old.with_columns(rtt_ns=pl.lit(RTT * MS)))
    assert found["lost_syns"] == 1
    assert extras(found) == [None] * 4


def test_without_an_rtt_there_are_no_round_trips_to_count() -> None:
    assert extras(phases_of(*LOSSLESS, cells=CELL.with_columns(rtt_ns=pl.lit(0)))) == [None] * 4


@pytest.mark.parametrize(
    ("kernel", "seconds"), [("6.4.0", (1, 3, 7, 15, 31, 63)), ("6.5.1", (1, 2, 3, 4, 5, 7, 11)), ("7.3", (1, 2, 3))]
)
def test_each_syn_is_due_at_its_second_and_not_before(kernel: str, seconds: tuple[int, ...]) -> None:
    for number, second in enumerate(seconds, start=1):
        sooner, then = (phases_of(100 + 1000 * second + off, kernel=kernel)["lost_syns"] for off in (-0.001, 0))
        assert (sooner, then) == (number - 1, number)


def test_a_link_without_a_delay_has_no_round_trips_to_count_in() -> None:
    found = phases_of(*LOSSLESS, cells=CELL.with_columns(rtt_ns=pl.lit(0)))
    assert extras(found) == [None] * 4
    one = phases_of(*LOSSLESS, cells=CELL.with_columns(rtt_ns=pl.lit(1)))
    assert extras(one) == [0] * 4
