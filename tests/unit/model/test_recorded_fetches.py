"""The expectation against what a guest's kernel did, fetch by fetch (recorded by bed/record_guest.py).

The whole grid is held against a guest in bed/test_expectation.py; here are the shorter ones.
"""

import json
from pathlib import Path

import pytest

from pqbed.model.floor_and_expectation import floors_of, unknowns
from pqbed.model.simulate.connection import simulate_fetch
from pqbed.model.tls_exchange import exchange_of
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from support.expectation_grid import FAMILIES
from support.units import KIB

RECORDED = json.loads((Path(__file__).parents[2] / "golden" / "guest" / "expectation.json").read_text())
# As in bed/test_expectation.py: clocks are read in microseconds, and signatures of ECDSA vary by some bytes.
SHARE, SHARE_ECDSA, CLOCK_NS = 0.001, 0.005, 20_000
# Longer responses cost more than a fifth of a second each to simulate.
LONGEST_BYTES = 4096 * KIB
FEWER = {"grid": 4, "long": 2}


def chosen(family: str) -> list[Cell]:
    cells = [cell for cell in FAMILIES[family] if cell.workload.size_bytes <= LONGEST_BYTES]
    cells = [cell for cell in cells if cell_id(cell) in RECORDED["fetches"]]
    return cells[:: FEWER.get(family, 1)]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_milestone_is_as_recorded_to_a_thousandth(family: str) -> None:
    off: list[tuple[Cell, list[int], tuple[int, ...]]] = []
    for cell in chosen(family):
        exchange = exchange_of(cell, *RECORDED["certificates"][cell.profile.name])
        expected, floors = simulate_fetch(cell, exchange), floors_of(cell, exchange)
        *measured, retransmits = RECORDED["fetches"][cell_id(cell)]
        ours = (expected.connect_ns, expected.tls_done_ns, expected.first_byte_ns, expected.last_byte_ns)
        share = SHARE_ECDSA if cell.profile.chain.algorithm == "p256" else SHARE
        assert not unknowns(cell, expected)
        if any(abs(seen - due) > share * due + CLOCK_NS for seen, due in zip(measured, ours, strict=True)):
            off.append((cell, measured, ours))
        # A SYN that is sent again is no repeated segment to the model, and one to the kernel.
        if not expected.syns_repeated and expected.client_repeated != retransmits:
            off.append((cell, [retransmits], (expected.client_repeated,)))
        assert floors.connect_ns <= measured[0]
        assert floors.tls_done_ns <= measured[1]
        assert floors.last_byte_ns <= measured[3]
    assert off == []
