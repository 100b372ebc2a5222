"""The queue of blocks that lanes take their work from."""

import threading
from collections.abc import Collection, Iterator

from pqbed.plan import Plan
from pqbed.spec.sample import Fetch


class BlockQueue:
    """Hands out the blocks of a plan, each whole, to one lane, without the fetches that have their sample."""

    def __init__(self, plan: Plan, finished: Collection[tuple[str, int]]) -> None:
        self._blocks = unfinished_blocks(plan, finished)
        self._guard = threading.Lock()

    def take(self) -> tuple[Fetch, ...] | None:
        """Return the next block, or None where none is left."""
        with self._guard:
            return next(self._blocks, None)


def unfinished_blocks(plan: Plan, finished: Collection[tuple[str, int]]) -> Iterator[tuple[Fetch, ...]]:
    """Yield what is left of each block that is not done, in the plan's order."""
    for block in plan.blocks():
        left = tuple(fetch for fetch in block if (fetch.cell_id, fetch.repetition) not in finished)
        if left:
            yield left
