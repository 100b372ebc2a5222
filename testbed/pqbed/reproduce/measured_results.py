"""Results of a run of a study by its sweeps: network, CPU, and their sum."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from pqbed.plan import plan_sweep
from pqbed.spec.study import Study
from pqbed.stats import MILESTONES, Grid, read_grid
from pqbed.stats.cpu_cost import CpuCost, cpu_costs
from pqbed.stats.quantiles import Floats
from pqbed.store.run_directory import Run

# Why there is no CPU term.
IN_REAL_TIME = "included in the times"
NOT_MEASURED = "not measured"
NOT_COUNTED = "not counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """`cells` and the rows of `grid` have the same order. If `costs` is empty, `no_cpu` is the reason."""

    study: Study
    cells: pl.DataFrame
    grid: Grid
    costs: Mapping[tuple[str, int], CpuCost]
    no_cpu: str

    def rows(self, sweep: str, profile: str | None = None, size_bytes: int | None = None) -> list[int]:
        """Return the rows of the cells of `sweep` (with this profile and size), in the order of its axes."""
        places = {cell_id: row for row, cell_id in enumerate(self.cells["cell_id"])}
        return [
            places[cell_id]
            for cell_id, cell in plan_sweep(self.study.sweeps[sweep]).cells.items()
            if profile in (None, cell.profile.name) and size_bytes in (None, cell.workload.size_bytes)
        ]

    def baseline(self, sweep: str) -> str:
        """Return the profile that increases in `sweep` refer to."""
        return self.study.sweeps[sweep].profiles[0].name

    def times(self, *, with_cpu: bool) -> Floats:
        """Return cells x blocks of what the study counts, ns: TTLB, or at 0 bytes the handshake if it says so."""
        values: Floats = np.array(self.grid.values["ttlb"], copy=True)
        for row, size_bytes in enumerate(self.cells["size_bytes"]):
            if self._handshake_alone(size_bytes):
                values[row] = self.grid.values["handshake"][row]
            if with_cpu:
                values[row] += self.cpu_ns(row) or 0.0
        return values

    def cpu_ns(self, row: int) -> float | None:
        """Return the CPU term of what `times` counts in a row; None if there is none."""
        profile, size_bytes = self.cells["profile"][row], self.cells["size_bytes"][row]
        cost = self.costs.get((profile, size_bytes))
        if cost is None:
            return None
        return cost.handshake_ns if self._handshake_alone(size_bytes) else cost.ttlb_ns

    def part(self, rows: list[int], *, with_cpu: bool) -> Grid:
        """Return the grid of some rows, with `times` in place of TTLB."""
        values = {name: self.grid.values[name][rows] for name in MILESTONES}
        values["ttlb"] = self.times(with_cpu=with_cpu)[rows]
        return Grid(values=values, counts=self.grid.counts[rows])

    def _handshake_alone(self, size_bytes: int) -> bool:
        return self.study.empty_is_handshake and size_bytes == 0


def read_results(run: Run, study: Study) -> Results | None:
    """Read `run`, finished or not; None without a sample."""
    cells = run.cells().collect()
    if cells.is_empty():
        return None
    grid = read_grid(run.samples(), cells, list(MILESTONES))
    if not grid.counts["n"].sum():
        return None
    virtual = run.manifest.clock == "virtual"
    costs = cpu_costs(run.cpu().collect()) if virtual and not study.network_alone else {}
    no_cpu = "" if costs else _why_no_cpu(virtual, study)
    return Results(study=study, cells=cells, grid=grid, costs=costs, no_cpu=no_cpu)


def _why_no_cpu(virtual: bool, study: Study) -> str:
    if not virtual:
        return IN_REAL_TIME
    return NOT_COUNTED if study.network_alone else NOT_MEASURED
