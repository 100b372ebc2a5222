"""Blocks in stages, for a sweep with a precision: at each checkpoint the comparisons that are precise are left out.

What is fetched is a function of the plan and of the samples so far, whatever the lanes and however often it was killed:
a stage is over when every fetch of it has its sample, the checkpoint judges each comparison by its samples up to there,
and a run that is taken up again passes the same checkpoints with the same samples. Lanes that are done with a stage
wait for the others, at most for the rest of one block.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

import polars as pl

from pqbed.duration.checkpoints import blocks_expected, checkpoints
from pqbed.plan import Plan
from pqbed.runner.blocks import Block, Finished
from pqbed.runner.events import Judged
from pqbed.store.run import Run

# Samples and comparisons (cell ids, the baseline's first) to the half width of each in percentage points.
Judge = Callable[[pl.LazyFrame, Sequence[Sequence[str]]], Sequence[float]]

_PPM_PER_POINT = 10_000
_POLL_S = 0.2


class StagedBlocks:
    """The blocks up to the next checkpoint; the last lane that is done with them judges. Safe between threads."""

    def __init__(self, plan: Plan, run: Run, finished: Finished, judge: Judge) -> None:
        assert plan.precision_ppm is not None
        self.planned = 0
        self.judged: Judged | None = None
        self._plan, self._run, self._finished, self._judge = plan, run, finished, judge
        self._wanted_points = plan.precision_ppm / _PPM_PER_POINT
        self._open = plan.comparisons
        self._checkpoints = deque(checkpoints(plan.samples))
        self._waiting: deque[Block] = deque()
        self._undone: set[int] = set()
        self._changed = threading.Condition()
        self._lay_out(0)
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

    def done(self, block: int) -> Judged | None:
        with self._changed:
            self._undone.discard(block)
            before = self.judged
            self._advance()
            self._changed.notify_all()
            return self.judged if self.judged is not before else None

    def _advance(self) -> None:
        """Pass every checkpoint whose samples are all there."""
        while self._open and not self._undone:
            point = self._checkpoints.popleft()
            self._look(point)
            if self._open:
                self._lay_out(point)

    def _lay_out(self, first: int) -> None:
        """Add the blocks from `first` up to the next checkpoint, without what is precise or has its sample."""
        wanted = {identity for comparison in self._open for identity in comparison}
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

    def _look(self, point: int) -> None:
        """Keep open what is not precise after `point` blocks, unless this was the last checkpoint."""
        judged: dict[tuple[str, ...], float] = {}
        if self._checkpoints:
            widths = self._judge(self._run.samples().filter(pl.col("block") < point), self._open)
            judged = dict(zip(self._open, widths, strict=True))
        self._open = tuple(one for one, width in judged.items() if width > self._wanted_points)
        left = {
            identity: blocks_expected(point, judged[one], self._wanted_points, self._plan.samples) - point
            for one in self._open
            for identity in one
        }
        self.judged = Judged(blocks=point, left=left, expected=self.planned + sum(left.values()))
