"""Measure what a profile costs in CPU: fetches over a bare link in real time, one after another on one lane."""

import contextlib
import socket
from collections.abc import Iterator, Sequence

import polars as pl

from pqbed.beds.bed import Bed, Lane
from pqbed.plan import Plan, plan_sweep
from pqbed.spec.profile import Profile
from pqbed.spec.sweep import Sweep
from pqbed.store.cpu import CPU

# As in the published study: the first fetches fill caches and are not counted.
WARM_UPS = 3
TIMEOUT_NS = 30_000_000_000


def measure_cpu(
    bed: Bed, profiles: Sequence[Profile], sizes_bytes: Sequence[int], repetitions: int, seed: int
) -> pl.DataFrame:
    """Fetch every size with every profile `repetitions` times, in random order; return one row a fetch (store.cpu.CPU).

    `bed` must be prepared and on the real clock. Raises LaneError where its lane is lost.
    """
    assert bed.clock == "real"
    plan = plan_sweep(
        Sweep(
            name="cpu",
            rtt_ns=(0,),
            bandwidth_bps=(None,),
            profiles=tuple(profiles),
            size_bytes=tuple(sizes_bytes),
            samples=WARM_UPS + repetitions,
            seed=seed,
            timeout_ns=TIMEOUT_NS,
        )
    )
    with contextlib.closing(bed.open_lane(0, plan.profiles, plan.timeout_ns)) as lane:
        rows = list(_rows(bed, lane, plan))
    return pl.DataFrame(rows, schema=CPU, orient="row")


def _rows(bed: Bed, lane: Lane, plan: Plan) -> Iterator[tuple[object, ...]]:
    host = socket.gethostname()
    for block in plan.blocks():
        for fetch, timings in lane.run(plan.cells, block):
            if fetch.repetition >= WARM_UPS:
                cell = plan.cells[fetch.cell_id]
                yield (
                    *(cell.profile.name, cell.workload.size_bytes, fetch.repetition - WARM_UPS),
                    *(timings.outcome, timings.tls_done_ns, timings.last_byte_ns),
                    *(bed.name, lane.facts.kernel, host),
                )
