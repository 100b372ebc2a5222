"""CPU cost of profiles: fetches over an unshaped link on the real clock, one after another."""

import contextlib
import socket
from collections.abc import Iterator, Sequence

import polars as pl

from pqbed.beds.bed_interface import Bed
from pqbed.plan import Plan, plan_sweep
from pqbed.spec.profile import Profile
from pqbed.spec.sweep import Sweep
from pqbed.store.cpu_table import CPU

# As in the published study: the first fetches fill caches and are not counted.
WARM_UPS = 3
# A handshake takes some tenths of a millisecond more or less from one start of the same programs to the next.
LANES = 5
TIMEOUT_NS = 30_000_000_000


def measure_cpu(
    bed: Bed,
    profiles: Sequence[Profile],
    sizes_bytes: Sequence[int],
    repetitions: int,
    *,
    seed: int = 1,
    lanes: int = LANES,
) -> pl.DataFrame:
    """Fetch every size with every profile `repetitions` times on each of `lanes` lanes, one lane after the other.

    Returns one row per fetch (store.cpu.CPU). `bed` must be prepared and on the real clock. Raises LaneError if a lane
    is lost.
    """
    assert bed.clock == "real"
    sweep = Sweep(
        name="cpu",
        rtt_ns=(0,),
        bandwidth_bps=(None,),
        profiles=tuple(profiles),
        size_bytes=tuple(sizes_bytes),
        samples=WARM_UPS + repetitions,
        seed=seed,
        timeout_ns=TIMEOUT_NS,
    )
    rows = [row for lane in range(lanes) for row in _rows(bed, lane, plan_sweep(sweep))]
    return pl.DataFrame(rows, schema=CPU, orient="row")


def _rows(bed: Bed, index: int, plan: Plan) -> Iterator[tuple[object, ...]]:
    host = socket.gethostname()
    with contextlib.closing(bed.open_lane(index, plan.profiles, plan.timeout_ns)) as lane:
        for block in plan.blocks():
            for fetch, timings in lane.run(plan.cells, block):
                if fetch.repetition < WARM_UPS:
                    continue
                cell = plan.cells[fetch.cell_id]
                yield (
                    *(cell.profile.name, cell.workload.size_bytes, index, fetch.repetition - WARM_UPS),
                    *(timings.outcome, timings.tls_done_ns, timings.last_byte_ns),
                    *(bed.name, lane.facts.kernel, host),
                )
