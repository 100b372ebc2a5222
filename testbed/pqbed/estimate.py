"""How long a sweep will take, told before anything is started."""

from dataclasses import replace

from pqbed.flights import RESPONSE_HEADER_BYTES, typical_flights
from pqbed.model import mean_loss_ppm, segment_count, ttlb_floor_ns
from pqbed.net.shape import SIDES, loss_of
from pqbed.plan import Plan, plan_sweep
from pqbed.spec.cell import Cell
from pqbed.spec.link import PPM
from pqbed.spec.options import Clock
from pqbed.spec.sweep import Sweep

DEFAULT_BUDGET_S = 300.0

# Real clock: a fetch waits for the physical floor, and some 10 % for what is between two fetches.
REAL_OVERHEAD = 1.10
# Each per cent of loss stretches a transfer by about a quarter of its floor. Tried: 10 % loss, 200 ms, 1 Mbit/s,
# 200 KiB has a floor of 2.4 s and a median of 8.6 s.
LOSS_STRETCH = 25.0
# Virtual clock: waiting is free, a fetch costs CPU. Measured with `make bench` on one core of a busy machine: 5 to 7 ms
# for 0 KiB, 15 to 30 ms for 200 KiB (142 segments, each of which wakes the client).
VIRTUAL_FETCH_S = 0.008
VIRTUAL_SEGMENT_S = 0.00012


def estimate_seconds(plan: Plan, clock: Clock, lanes: int) -> float:
    """Return the wall-clock seconds that all fetches of `plan` take on `lanes`, without building and booting."""
    each = _virtual_seconds if clock == "virtual" else _real_seconds
    return plan.block_count * sum(map(each, plan.cells.values())) / max(1, lanes)


def samples_for_budget(sweep: Sweep, clock: Clock, lanes: int, budget_s: float = DEFAULT_BUDGET_S) -> int:
    """Return the most samples a cell that fit in `budget_s`; at least one."""
    one_block_s = estimate_seconds(plan_sweep(replace(sweep, samples=1)), clock, lanes)
    return max(1, int(budget_s / one_block_s)) if one_block_s > 0 else 1


def _real_seconds(cell: Cell) -> float:
    flights = typical_flights(cell.profile)
    response = RESPONSE_HEADER_BYTES + cell.workload.size_bytes
    floor_ns = ttlb_floor_ns(cell, flights.server_bytes, flights.client_bytes, response)
    return floor_ns / 1e9 * REAL_OVERHEAD * (1 + LOSS_STRETCH * _loss_share(cell))


def _virtual_seconds(cell: Cell) -> float:
    flights = typical_flights(cell.profile)
    payload = flights.server_bytes + flights.client_bytes + cell.workload.size_bytes
    return VIRTUAL_FETCH_S + VIRTUAL_SEGMENT_S * segment_count(payload)


def _loss_share(cell: Cell) -> float:
    link = cell.link
    return max(mean_loss_ppm(loss_of(link, side)) for side in SIDES) / PPM
