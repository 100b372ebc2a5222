"""The expectation against a guest in virtual time, milestone by milestone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pqbed.model.floor_and_expectation import Floors, floors_of, unknowns
from pqbed.model.simulate.connection import ExpectedFetch, simulate_fetch
from pqbed.model.tls_exchange import exchange_of
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from support.expectation_grid import FAMILIES

pytestmark = pytest.mark.uml

# A CPU that takes no time, and clocks that are read in microseconds some ten times per fetch: nothing else is left.
TOLERANCE, CLOCK_NS = 0.001, 20_000
# Computed sizes are off by some bytes of ECDSA's signatures, which take their time at 9.6 kbit/s.
TOLERANCE_SIZES = 0.005
MILESTONES = {
    "connect_ns": "tcp_connect_ns",
    "tls_done_ns": "tls_done_ns",
    "first_byte_ns": "first_byte_ns",
    "last_byte_ns": "last_byte_ns",
}


@dataclass(frozen=True)
class Case:
    cell: Cell
    expected: ExpectedFetch
    floors: Floors
    timings: dict[str, Any]

    @property
    def off(self) -> dict[str, tuple[float, int]]:
        """By milestone: ms measured and expected, where they differ by more than the tolerance."""
        share = TOLERANCE_SIZES if self.cell.profile.chain.algorithm == "p256" else TOLERANCE
        pairs = {ours: (self.timings[theirs], getattr(self.expected, ours)) for ours, theirs in MILESTONES.items()}
        return {name: pair for name, pair in pairs.items() if abs(pair[0] - pair[1]) > share * pair[1] + CLOCK_NS}


@pytest.fixture(scope="module")
def cases(uml_guest_run: Callable[..., list[dict[str, Any]]]) -> dict[str, list[Case]]:
    first, *rows = uml_guest_run(Path(__file__).with_name("guest_expectation.py"))
    served = {each["profile"]["name"]: each for each in first["served"]}
    timings = {row["cell_id"]: row["timings"] for row in rows}
    return {name: list(known_cases(cells, served, timings)) for name, cells in FAMILIES.items()}


def known_cases(cells: tuple[Cell, ...], served: dict[str, Any], timings: dict[str, Any]) -> Iterator[Case]:
    """Yield the cells that the model knows whole."""
    for cell in cells:
        chain = served[cell.profile.name]
        exchange = exchange_of(cell, chain["certificate_wire_bytes"], chain["client_certificate_wire_bytes"])
        expected = simulate_fetch(cell, exchange)
        if not unknowns(cell, expected):
            yield Case(cell, expected, floors_of(cell, exchange), timings[cell_id(cell)])


def test_the_model_knows_all_of_every_family(cases: dict[str, list[Case]]) -> None:
    assert {name: len(known) for name, known in cases.items()} == {name: len(FAMILIES[name]) for name in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_milestone_is_as_expected_to_a_thousandth(cases: dict[str, list[Case]], family: str) -> None:
    assert {case.timings["outcome"] for case in cases[family]} == {"ok"}
    assert [(case.cell, case.off) for case in cases[family] if case.off] == []


def test_spurious_retransmissions_are_counted_as_the_client_s_kernel_does(cases: dict[str, list[Case]]) -> None:
    counts = [(case.expected.client_repeated, case.timings["retransmits"]) for case in cases["slow"]]
    assert [pair for pair in counts if pair[0] != pair[1]] == []
    assert max(expected for expected, _ in counts) >= 2


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_comes_before_its_floor(cases: dict[str, list[Case]], family: str) -> None:
    for case in cases[family]:
        floors, timings = case.floors, case.timings
        assert floors.connect_ns <= timings["tcp_connect_ns"]
        assert floors.tls_done_ns <= timings["tls_done_ns"]
        assert floors.last_byte_ns <= timings["last_byte_ns"]
