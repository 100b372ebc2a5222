"""The queue of blocks that lanes take their work from."""

import threading
from collections.abc import Collection, Iterator
from typing import Protocol

from pqbed.plan import Plan
from pqbed.runner.events import Judged
from pqbed.spec.sample import Fetch

Block = tuple[Fetch, ...]
Finished = Collection[tuple[str, int]]


class Blocks(Protocol):
    """Hands out the blocks of a plan, each whole, to one lane, without the fetches that have their sample.

    `planned` are the fetches of the whole run, also those done earlier, as far as it is known what they are; `judged`
    is the last look at a sweep with a precision.
    """

    planned: int
    judged: Judged | None

    def take(self, stop: threading.Event) -> Block | None:
        """Return the next block, or None where none is left or `stop` is set. May wait for other lanes."""
        ...

    def done(self, block: int) -> Judged | None:
        """Note that all fetches of `block` have their sample. Return the look that this gave rise to."""
        ...


class BlockQueue:
    """All blocks in the plan's order."""

    def __init__(self, plan: Plan, finished: Finished) -> None:
        self.planned = plan.fetch_count
        self.judged: Judged | None = None
        self._blocks = unfinished_blocks(plan, finished)
        self._guard = threading.Lock()

    def take(self, stop: threading.Event) -> Block | None:
        with self._guard:
            return None if stop.is_set() else next(self._blocks, None)

    def done(self, block: int) -> Judged | None:
        """Nothing hangs on `block`."""
        del block
        return None


def unfinished_blocks(plan: Plan, finished: Finished) -> Iterator[Block]:
    """Yield what is left of each block that is not done, in the plan's order."""
    for block in plan.blocks():
        left = tuple(fetch for fetch in block if (fetch.cell_id, fetch.repetition) not in finished)
        if left:
            yield left
