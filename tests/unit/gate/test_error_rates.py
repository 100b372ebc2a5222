"""How often the gate is wrong, by simulation through the whole of it: 1,000 runs in one table, a link each."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pqbed.gate.judge_run import judge_run
from pqbed.gate.threshold_verdict import ThresholdVerdict, breaks_gate
from pqbed.plan import plan_sweep
from pqbed.spec.threshold import parse_threshold
from pqbed.store.cells_table import tabulate_cells
from pqbed.store.table_schemas import SAMPLES, conform
from support.sweeps import SWEEP

SAMPLES_EACH = 200
NOISE = 0.05  # standard deviation of a fetch, as a share
RUNS = 1000
PLAN = plan_sweep(
    replace(SWEEP, rtt_ns=tuple(1_000_000 * n for n in range(1, RUNS + 1)), size_bytes=(0,), samples=1, aa=True)
)
WIRE_BYTES = {profile.name: 1000 for profile in PLAN.profiles}


def verdicts(truth: float, text: str) -> list[ThresholdVerdict]:
    """Judge runs in which pq is slower by the share `truth`, one for each link."""
    random = np.random.default_rng(7)
    slower = np.array([1 + truth if cell.profile.name == "pq" else 1 for cell in PLAN.cells.values()])
    noise = np.exp(NOISE * random.standard_normal((len(PLAN.cells), SAMPLES_EACH)))
    samples = pl.DataFrame(
        {
            "cell_id": np.repeat(list(PLAN.cells), SAMPLES_EACH),
            "block": np.tile(np.arange(SAMPLES_EACH), len(PLAN.cells)),
            "last_byte_ns": (1e8 * slower[:, np.newaxis] * noise).astype(np.int64).ravel(),
        }
    ).with_columns(outcome=pl.lit("ok"), clock=pl.lit("real"))
    thresholds = [parse_threshold(text, required=False)]
    return judge_run(conform(samples, SAMPLES).lazy(), tabulate_cells(PLAN, WIRE_BYTES), PLAN.cells, thresholds)


@pytest.mark.parametrize("limit", ["5%", "1%", "0.5%"])
def test_no_run_of_equal_arms_fails(limit: str) -> None:
    found = verdicts(0, f"pq.ttlb.p50.increase > {limit}")
    assert len(found) == RUNS
    assert not [verdict for verdict in found if breaks_gate([verdict])]


def test_an_increase_of_5_percent_is_found_in_95_of_100_runs() -> None:
    found = verdicts(0.05, "pq.ttlb.p50.increase > 1%")
    assert sum(breaks_gate([verdict]) for verdict in found) >= 0.95 * RUNS
