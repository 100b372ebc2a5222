"""Which fetches have their sample: one byte per fetch, so that a run of 10 million takes 10 MB."""

from collections.abc import Iterable

import polars as pl

from pqbed.plan import Plan
from pqbed.store.run_directory import Run

_BATCH_ROWS = 1 << 20


class FinishedFetches:
    """Fetches by cell and repetition. Cells of no plan are kept by name, for a refusal."""

    def __init__(self, plan: Plan) -> None:
        self._marks = {cell_id: bytearray(plan.samples) for cell_id in plan.cells}
        self.other_cells: set[str] = set()
        self.count = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Mark the fetches of samples `rows`."""
        for (cell_id,), group in rows.group_by("cell_id"):
            marks = self._marks.get(str(cell_id))
            if marks is None:
                self.other_cells.add(str(cell_id))
                continue
            for repetition in group["repetition"]:
                self.mark(str(cell_id), repetition)

    def mark(self, cell_id: str, repetition: int) -> None:
        """Note that a fetch has its sample."""
        marks = self._marks[cell_id]
        self.count += not marks[repetition]
        marks[repetition] = 1

    def missing(self, cells: Iterable[str], first: int, last: int) -> int:
        """Return how many fetches of `cells` in the blocks from `first` up to `last` have no sample."""
        return sum(self._marks[cell_id].count(0, first, last) for cell_id in cells)

    def repetitions(self, cells: Iterable[str], first: int, last: int) -> dict[str, bytes]:
        """Return the marks of `cells` in these blocks, without cells that have none: one byte per block, 1 if done."""
        marks = {cell_id: bytes(self._marks[cell_id][first:last]) for cell_id in cells}
        return {cell_id: done for cell_id, done in marks.items() if any(done)}


def finished_of(plan: Plan, run: Run) -> FinishedFetches:
    """Return what `run` has samples of."""
    finished = FinishedFetches(plan)
    for rows in run.sample_batches(_BATCH_ROWS):
        finished.add(rows.select("cell_id", "repetition"))
    return finished
