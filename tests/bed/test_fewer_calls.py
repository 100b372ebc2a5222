"""Fetches with fewer system calls against libcurl's own, in virtual time: the same packets, at the same times."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from support.fewer_calls_cells import LOSSLESS, LOSSY
from support.units import MS

pytestmark = pytest.mark.uml

# Readings of the clock that are no system call any longer, 0.256 us each: most in 8 MiB, and 20 us more in some runs.
CLOCK_NS = 50_000
TIMEOUT_NS = 300_000 * MS
MILESTONES = ("tcp_connect_ns", "tls_done_ns", "first_byte_ns", "last_byte_ns")
COUNTS = ("outcome", "body_bytes", "retransmits", "lost", "cwnd", "group", "signature")


@dataclass(frozen=True)
class Sides:
    """Rows of one process and of the other, by what they have in common."""

    plain: dict[Any, Any]
    preloaded: dict[Any, Any]


@pytest.fixture(scope="module")
def rows(uml_guest_run: Callable[..., list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return uml_guest_run(Path(__file__).with_name("guest_fewer_calls.py"))


@pytest.fixture(scope="module")
def fetches(rows: list[dict[str, Any]]) -> Sides:
    by_side: tuple[dict[Any, Any], dict[Any, Any]] = ({}, {})
    for row in rows:
        if "timings" in row:
            by_side[row["preloaded"]][row["cell_id"], row["block"]] = row["timings"]
    return Sides(*by_side)


def differences(fetches: Sides, cells: tuple[Cell, ...]) -> dict[Any, dict[str, int]]:
    """Return by fetch how far each milestone is apart, in ns, where both have it."""
    wanted = {cell_id(cell) for cell in cells}
    return {
        key: {name: abs(theirs[name] - fetches.preloaded[key][name]) for name in MILESTONES}
        for key, theirs in fetches.plain.items()
        if key[0] in wanted
    }


def test_without_loss_every_milestone_is_the_same(fetches: Sides) -> None:
    apart = differences(fetches, LOSSLESS)
    assert len(apart) >= 100
    assert {key: most for key, off in apart.items() if (most := max(off.values())) > CLOCK_NS} == {}
    for key in apart:
        assert [fetches.plain[key][name] for name in COUNTS] == [fetches.preloaded[key][name] for name in COUNTS]


def test_with_loss_nearly_every_row_is_the_same_and_others_differ_either_way(fetches: Sides) -> None:
    """An acknowledgement more or less shifts netem's random numbers of the way to the server from there on."""
    apart = differences(fetches, LOSSY)
    moved = {key for key, off in apart.items() if max(off.values()) > CLOCK_NS}
    assert len(apart) == 20 * len(LOSSY)
    assert len(moved) <= 0.05 * len(apart)


def test_it_was_at_work(rows: list[dict[str, Any]]) -> None:
    counts = {row["preloaded"]: (row["records"], row["clocks"]) for row in rows if "records" in row}
    assert counts[False] == (0, 0)
    assert min(counts[True]) > 1_000


def test_a_link_without_a_rate_is_left_to_libcurl(rows: list[dict[str, Any]]) -> None:
    assert [(row["unpaced"], row["saved"]) for row in rows if "unpaced" in row] == [("ok", 0)] * 2


def test_a_response_that_stops_ends_at_the_limit_of_the_fetch(rows: list[dict[str, Any]]) -> None:
    ends = {row["preloaded"]: row for row in rows if "took_ns" in row}
    assert {side: row["outcome"] for side, row in ends.items()} == {False: "timeout", True: "timeout"}
    took = {side: row["took_ns"] for side, row in ends.items()}
    assert abs(took[True] - took[False]) < MS
    assert took[True] > TIMEOUT_NS
