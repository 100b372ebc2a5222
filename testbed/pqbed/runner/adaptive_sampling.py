"""Adaptive sampling for a sweep with a precision: at each checkpoint, comparisons that are precise enough end.

What is fetched depends only on the plan and the samples so far, not on the number of lanes or on interruptions: a
checkpoint is reached when every fetch before it has a sample, it measures each comparison by its samples up to there,
and a resumed run passes the same checkpoints with the same samples. Lanes wait for one another at a checkpoint, at most
for the rest of one block.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

import polars as pl

from pqbed.duration.checkpoints import blocks_expected, checkpoints
from pqbed.plan import Plan
from pqbed.runner.block_queue import Block, Finished
from pqbed.runner.sweep_events import CheckpointReached
from pqbed.store.run_directory import Run

# Samples and comparisons (cell ids, the baseline's first) -> half width of each in percentage points.
MeasureWidths = Callable[[pl.LazyFrame, Sequence[Sequence[str]]], Sequence[float]]

_PPM_PER_POINT = 10_000
_POLL_S = 0.2


class AdaptiveBlocks:
    """The blocks up to the next checkpoint; the last lane to finish them evaluates it. Thread-safe."""

    def __init__(self, plan: Plan, run: Run, finished: Finished, half_widths: MeasureWidths) -> None:
        assert plan.precision_ppm is not None
        self.planned = 0
        self.checkpoint: CheckpointReached | None = None
        self._plan, self._run, self._finished, self._half_widths = plan, run, finished, half_widths
        self._wanted_points = plan.precision_ppm / _PPM_PER_POINT
        self._open = plan.comparisons
        self._checkpoints = deque(checkpoints(plan.samples))
        self._waiting: deque[Block] = deque()
        self._undone: set[int] = set()
        self._changed = threading.Condition()
        self._add_blocks(0)
        self._advance()

    def take(self, stop: threading.Event) -> Block | None:
        with self._changed:
            while not stop.is_set():
                if self._waiting:
                    return self._waiting.popleft()
                if not self._undone:
                    return None
                self._changed.wait(_POLL_S)
        return None

    def done(self, block: int) -> CheckpointReached | None:
        with self._changed:
            self._undone.discard(block)
            before = self.checkpoint
            self._advance()
            self._changed.notify_all()
            return self.checkpoint if self.checkpoint is not before else None

    def _advance(self) -> None:
        """Pass every checkpoint whose samples are complete."""
        while self._open and not self._undone:
            point = self._checkpoints.popleft()
            self._evaluate(point)
            if self._open:
                self._add_blocks(point)

    def _add_blocks(self, first: int) -> None:
        """Add the blocks from `first` up to the next checkpoint, without precise comparisons and finished fetches."""
        wanted = {cell_id for comparison in self._open for cell_id in comparison}
        last = self._checkpoints[0]
        self.planned += len(wanted) * (last - first)
        for number in range(first, last):
            left = tuple(
                fetch
                for fetch in self._plan.block(number)
                if fetch.cell_id in wanted and (fetch.cell_id, fetch.repetition) not in self._finished
            )
            if left:
                self._waiting.append(left)
                self._undone.add(number)

    def _evaluate(self, point: int) -> None:
        """Keep open what is not precise enough after `point` blocks, unless this is the last checkpoint."""
        widths: dict[tuple[str, ...], float] = {}
        if self._checkpoints:
            half_widths = self._half_widths(self._run.samples().filter(pl.col("block") < point), self._open)
            widths = dict(zip(self._open, half_widths, strict=True))
        self._open = tuple(comparison for comparison, width in widths.items() if width > self._wanted_points)
        left = {
            cell_id: blocks_expected(point, widths[comparison], self._wanted_points, self._plan.samples) - point
            for comparison in self._open
            for cell_id in comparison
        }
        self.checkpoint = CheckpointReached(blocks=point, left=left, expected=self.planned + sum(left.values()))
