"""A study of two links and two profiles, with results made up by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from pqbed.plan import plan_sweeps
from pqbed.reproduce.measured_results import Results
from pqbed.reproduce.published_numbers import Published
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.study import Claim, Measure, MeasureKind, Study, StudyFigure
from pqbed.spec.sweep import Sweep
from pqbed.stats import MILESTONES, Grid
from pqbed.stats.cpu_cost import CpuCost
from pqbed.store.cells_table import tabulate_cells
from pqbed.store.table_schemas import FAILURES
from support.units import MS

BLOCKS = 40

OLD = Profile(name="old", group="X25519", chain=Chain(algorithm="rsa2048"))
SMALL = Profile(name="small", group="X25519MLKEM768", chain=Chain(algorithm="rsa2048", wire_bytes=8_000))
LARGE = Profile(name="large", group="X25519MLKEM768", chain=Chain(algorithm="rsa2048", wire_bytes=16_000))
SWEEP = Sweep(
    name="study",
    rtt_ns=(35 * MS,),
    bandwidth_bps=(1_000_000,),
    profiles=(OLD, SMALL, LARGE),
    size_bytes=(0, 51_200),
    samples=BLOCKS,
)
SWEEPS = {
    "near": SWEEP,
    "far": replace(SWEEP, rtt_ns=(200 * MS,)),
    "both": replace(SWEEP, rtt_ns=(35 * MS, 200 * MS), size_bytes=(0,)),
}

# Milliseconds by RTT, profile and size; at 0 bytes the handshake. TTLB at 0 bytes is one RTT more.
TIMES = {
    (35, "old", 0): 100,
    (35, "small", 0): 110,
    (35, "large", 0): 120,
    (200, "old", 0): 400,
    (200, "small", 0): 440,
    (200, "large", 0): 480,
    (35, "old", 51_200): 500,
    (35, "small", 51_200): 510,
    (35, "large", 51_200): 520,
    (200, "old", 51_200): 1000,
    (200, "small", 51_200): 1020,
    (200, "large", 51_200): 1040,
}
CPU_MS = {"old": 2.0, "small": 3.0, "large": 4.0}


def claim(kind: MeasureKind, low: float | None = None, high: float | None = None, **fields: Any) -> Claim:
    measure = Measure(kind=kind, **{"sweep": "near", "profile": "large", "size_bytes": 51_200, **fields})
    return Claim(
        name="c", question="q", published="p", measure=measure, percentile=50, low=low, high=high, basis="b", why="w"
    )


def study(*claims: Claim, empty_is_handshake: bool = True) -> Study:
    figures = (
        StudyFigure(number="1", kind="bars", title="bars", sweeps=("both",)),
        StudyFigure(number="2", kind="lines", title="lines", sweeps=("near",)),
        StudyFigure(number="3", kind="curves", title="curves", sweeps=("near", "far")),
    )
    return Study(
        name="study",
        title="A study",
        published="madweb2024",
        empty_is_handshake=empty_is_handshake,
        samples=BLOCKS,
        seed=1,
        sweeps=SWEEPS,
        claims=claims,
        figures=figures,
    )


def results(of: Study, *, cpu: bool = True) -> Results:
    """Return results in which block n takes n microseconds more than TIMES, in every cell."""
    plan = plan_sweeps(tuple(of.sweeps.values()), samples=BLOCKS, seed=1)
    cells = tabulate_cells(plan, {"old": 2_500, "small": 8_000, "large": 16_100})
    more = 1_000.0 * np.arange(BLOCKS) - 1_000.0 * (BLOCKS - 1) / 2
    values = {name: np.zeros((cells.height, BLOCKS)) for name in MILESTONES}
    for row, cell in enumerate(cells.to_dicts()):
        time_ns = TIMES[cell["rtt_ns"] // MS, cell["profile"], cell["size_bytes"]] * MS + more
        values["handshake"][row] = time_ns
        values["ttlb"][row] = time_ns + (cell["rtt_ns"] if cell["size_bytes"] == 0 else 0)
    costs = {
        (name, size): CpuCost(handshake_ns=ms * MS, ttlb_ns=2 * ms * MS)
        for name, ms in CPU_MS.items()
        for size in SWEEP.size_bytes
    }
    counts = pl.DataFrame({"n": [BLOCKS], "n_ok": [BLOCKS], "n_failed": [0], **{f"n_{name}": [0] for name in FAILURES}})
    grid = Grid(values=values, counts=pl.concat([counts] * cells.height))
    return Results(study=of, cells=cells, grid=grid, costs=costs if cpu else {}, no_cpu="" if cpu else "not measured")


def published(**fields: Any) -> dict[str, Published]:
    number = Published(
        name="p",
        figure="2",
        value=4.0,
        value_to=None,
        relation="about",
        unit="%",
        size_kib=50.0,
        percentile=50.0,
        words="w",
        source="s",
    )
    return {"p": replace(number, **fields)}
