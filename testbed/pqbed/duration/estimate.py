"""How long a sweep will take, estimated before anything is started."""

from dataclasses import replace

from pqbed.calibrate.measurement_schedule import real_seconds
from pqbed.model.floor import ttlb_floor_ns
from pqbed.model.frames import segment_count
from pqbed.model.tls_exchange import exchange_of
from pqbed.plan import Plan, plan_sweep
from pqbed.spec.cell import Cell
from pqbed.spec.link import PPM, mean_loss_ppm
from pqbed.spec.link_end_shape import shape_direction
from pqbed.spec.link_sides import SIDES, loss_of
from pqbed.spec.run_options import Calibrate, Clock
from pqbed.spec.sweep import Sweep

DEFAULT_BUDGET_S = 300.0

# Real clock: a fetch waits for the physical floor, and some 10 % for what is between two fetches.
REAL_OVERHEAD = 1.10
# Each per cent of loss stretches a transfer by about a quarter of its floor. Tried: 10 % loss, 200 ms, 1 Mbit/s,
# 200 KiB has a floor of 2.4 s and a median of 8.6 s.
LOSS_STRETCH = 25.0
# Virtual clock: waiting is free, a fetch costs CPU. Measured with `make bench` on one core of a busy machine: 5 to 7 ms
# for 0 KiB, 6 to 9 ms for 200 KiB (142 segments).
VIRTUAL_FETCH_S = 0.008
VIRTUAL_SEGMENT_S = 0.00002
# Measured: 0.07 s for a link without loss and jitter, 0.15 to 0.2 s with either.
VIRTUAL_LINK_S = 0.2


def estimate_seconds(plan: Plan, clock: Clock, lanes: int) -> float:
    """Return the wall-clock seconds that all fetches of `plan` take on `lanes`, without building and booting."""
    return plan.block_count * sum(fetch_seconds(cell, clock) for cell in plan.cells.values()) / max(1, lanes)


def fetch_seconds(cell: Cell, clock: Clock) -> float:
    """Return the wall-clock seconds that one fetch of `cell` takes on a lane."""
    return _virtual_seconds(cell) if clock == "virtual" else _real_seconds(cell)


def calibration_seconds(plan: Plan, clock: Clock, lanes: int, when: Calibrate) -> float:
    """Return the wall-clock seconds that the links of `plan` take to be measured; with `always` by every lane."""
    if when == "off":
        return 0.0
    links = plan.links.values()
    if clock == "virtual":
        each = [VIRTUAL_LINK_S] * len(links)
    else:
        each = [
            real_seconds(shape_direction(link, tcp, "client", 1), shape_direction(link, tcp, "server", 1))
            for link, tcp in links
        ]
    return sum(each) / (max(1, lanes) if when == "once" else 1)


def samples_for_budget(sweep: Sweep, clock: Clock, lanes: int, budget_s: float = DEFAULT_BUDGET_S) -> int:
    """Return the most samples a cell that fit in `budget_s`; at least one."""
    one_block_s = estimate_seconds(plan_sweep(replace(sweep, samples=1)), clock, lanes)
    return max(1, int(budget_s / one_block_s)) if one_block_s > 0 else 1


def _real_seconds(cell: Cell) -> float:
    exchange = exchange_of(cell)
    floor_ns = ttlb_floor_ns(cell, exchange.server_bytes, exchange.client_bytes, sum(exchange.response))
    return floor_ns / 1e9 * REAL_OVERHEAD * (1 + LOSS_STRETCH * _loss_share(cell))


def _virtual_seconds(cell: Cell) -> float:
    exchange = exchange_of(cell)
    payload = exchange.server_bytes + exchange.client_bytes + sum(exchange.response)
    return VIRTUAL_FETCH_S + VIRTUAL_SEGMENT_S * segment_count(payload)


def _loss_share(cell: Cell) -> float:
    link = cell.link
    return max(mean_loss_ppm(loss_of(link, side)) for side in SIDES) / PPM
