"""The expectation from learned sizes against guests in virtual time, for stacks of which no table knows anything."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pqbed.artefacts import prepare_uml
from pqbed.model.floor_and_expectation import bounds_of
from pqbed.plan import cell_id
from pqbed.spec.json_codec import from_json
from pqbed.spec.sample import Timings
from pqbed.tls.wire_sizes import WireSizes
from support.expectation_grid import GRID
from support.guest import Guest, run_in_guest

pytestmark = [pytest.mark.uml, pytest.mark.timeout(900)]

TOLERANCE_PCT = 1.0
CPU_NS_PER_PROFILE = 100_000_000
# Botan has no ML-DSA.
SPOKEN = {
    "openssl": ("classical", "ecdsa", "pq", "large"),
    "go": ("classical", "ecdsa", "pq", "large"),
    "botan": ("classical", "ecdsa", "large"),
}


@pytest.mark.parametrize("stack", SPOKEN)
def test_every_cell_that_a_stack_speaks_is_as_expected_to_one_per_cent(stack: Any) -> None:
    built = prepare_uml(stacks=() if stack == "openssl" else ("botan", "go"))
    script = Path(__file__).with_name("guest_learned_sizes.py")
    first, *rows = run_in_guest(Guest(built.kernel, built.root), script, " ".join((stack, *SPOKEN[stack])))
    sizes = {name: from_json(WireSizes, learned) for name, learned in first["sizes"].items()}
    assert sizes.keys() == set(SPOKEN[stack])
    assert first["cpu_ns"] < CPU_NS_PER_PROFILE * len(sizes)
    chains = {served["profile"]["name"]: served["certificate_wire_bytes"] for served in first["served"]}
    timings = {row["cell_id"]: from_json(Timings, row["timings"]) for row in rows}
    off = {}
    for plain in GRID:
        name = plain.profile.name
        cell = replace(plain, profile=replace(plain.profile, stack=stack))
        if name not in sizes:
            continue
        bounds = bounds_of(cell, chains[name], None, sizes[name])
        measured = timings[cell_id(cell)]
        assert bounds.holds
        assert measured.outcome == "ok"
        assert bounds.floors.last_byte_ns <= measured.last_byte_ns
        off[cell] = 100 * (measured.last_byte_ns / bounds.lossless.last_byte_ns - 1)
    assert {cell: value for cell, value in off.items() if abs(value) > TOLERANCE_PCT} == {}
