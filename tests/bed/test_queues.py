"""Queues in bytes and milliseconds, fq_codel, pie and cake, in virtual time: what they take, drop and mark."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.queue_cells import CELLS, DISCIPLINES

pytestmark = pytest.mark.uml

# How often libcurl reads the clock (docs/design/dd-007), and the nanoseconds by which two shapers round each packet.
NEAR_NS = 20_000
Case = dict[str, Any]


@pytest.fixture(scope="module")
def seen(uml_guest_run: Callable[..., list[Case]]) -> dict[str, Case]:
    return {row["case"]: row for row in uml_guest_run(Path(__file__).with_name("guest_queues.py"))}


def ttlb_ns(seen: dict[str, Case], name: str) -> int:
    timings = seen[name]["timings"]
    assert timings["outcome"] == "ok"
    return int(timings["last_byte_ns"])


def test_a_queue_with_room_takes_what_netem_takes(seen: dict[str, Case]) -> None:
    for name in ("bytes", "time"):
        assert abs(ttlb_ns(seen, name) - ttlb_ns(seen, "netem")) < NEAR_NS
        assert seen[name]["timings"]["queue_drops"] == 0
    # What cake drops of a first flight of twelve segments is its own: the others take it whole.
    for name in ("fq_codel", "pie"):
        assert abs(ttlb_ns(seen, f"whole {name}") - ttlb_ns(seen, "whole fifo")) < NEAR_NS


def test_a_queue_drops_what_is_more_than_its_bytes(seen: dict[str, Case]) -> None:
    assert seen["few bytes"]["timings"]["queue_drops"] > 0
    assert ttlb_ns(seen, "few bytes") > ttlb_ns(seen, "bytes")


@pytest.mark.parametrize("name", DISCIPLINES)
def test_managed_queues_drop_early_or_mark(seen: dict[str, Case], name: str) -> None:
    long, marked = seen[f"long {name}"]["timings"], seen[f"marked {name}"]["timings"]
    assert (long["outcome"], marked["outcome"]) == ("ok", "ok")
    assert long["ecn_marks"] is None
    managed = name != "fifo"
    assert (long["queue_drops"] > 0) == managed
    assert (marked["ecn_marks"] > 0) == managed
    # pie marks only while its probability is low, and draws (RFC 8033, section 5.1).
    assert name == "pie" or marked["queue_drops"] == 0


def test_they_repeat_but_for_the_one_that_draws(seen: dict[str, Case]) -> None:
    for name, row in seen.items():
        if "timings" in row and "pie" not in name:
            assert abs(row["timings"]["last_byte_ns"] - row["again"]["last_byte_ns"]) < NEAR_NS, name
            assert row["timings"]["queue_drops"] == row["again"]["queue_drops"]


def test_every_queue_is_read_back_as_it_was_asked(seen: dict[str, Case]) -> None:
    for name, cell in CELLS.items():
        stage = seen[name]["state"]["stages"]["down-rate"]["applied"]
        assert stage["rate_bps"] == cell.link.bandwidth_bps
        if cell.link.queue_discipline != "fifo":
            assert stage["discipline"] == cell.link.queue_discipline
        assert seen[name]["state"]["client"]["applied"]["ecn"] == cell.tcp.ecn
    assert seen["bytes"]["state"]["stages"]["up-rate"]["applied"]["queue_bytes"] == 64 * 1024
    assert seen["time"]["state"]["stages"]["down-rate"]["applied"]["queue_bytes"] == 62_500
