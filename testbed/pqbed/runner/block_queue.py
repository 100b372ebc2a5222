"""Queue of blocks from which lanes take their work."""

import threading
from collections.abc import Collection, Iterator
from typing import Protocol

from pqbed.plan import Plan
from pqbed.runner.sweep_events import CheckpointReached
from pqbed.spec.sample import Fetch

Block = tuple[Fetch, ...]
Finished = Collection[tuple[str, int]]


class Blocks(Protocol):
    """Hands out the blocks of a plan, each to one lane, without the fetches that already have a sample.

    `planned` counts the fetches of the whole run that are known to be needed, finished ones included; `checkpoint` is
    the last one that a sweep with a precision has reached.
    """

    planned: int
    checkpoint: CheckpointReached | None

    def take(self, stop: threading.Event) -> Block | None:
        """Return the next block, or None if none is left or `stop` is set. May wait for other lanes."""
        ...

    def done(self, block: int) -> CheckpointReached | None:
        """Note that all fetches of `block` have a sample. Return the checkpoint that this reached, if any."""
        ...


class BlockQueue:
    """All blocks, in the order of the plan."""

    def __init__(self, plan: Plan, finished: Finished) -> None:
        self.planned = plan.fetch_count
        self.checkpoint: CheckpointReached | None = None
        self._blocks = unfinished_blocks(plan, finished)
        self._lock = threading.Lock()

    def take(self, stop: threading.Event) -> Block | None:
        with self._lock:
            return None if stop.is_set() else next(self._blocks, None)

    def done(self, block: int) -> CheckpointReached | None:
        """Nothing depends on `block`."""
        del block
        return None


def unfinished_blocks(plan: Plan, finished: Finished) -> Iterator[Block]:
    """Yield the unfinished part of each block, in the order of the plan."""
    for block in plan.blocks():
        left = tuple(fetch for fetch in block if (fetch.cell_id, fetch.repetition) not in finished)
        if left:
            yield left
