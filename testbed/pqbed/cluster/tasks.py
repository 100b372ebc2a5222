"""Tasks of a cluster: all arms of one link in a range of blocks, some 20 seconds of work. Pure.

Arms of a link are compared as pairs, so they stay in one task, on one worker.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pqbed.cluster.finished_fetches import FinishedFetches
from pqbed.duration.estimate import fetch_seconds
from pqbed.plan import Plan, link_id
from pqbed.spec.run_options import Clock
from pqbed.spec.sample import Fetch

# Long enough that Dask's own millisecond per task does not count, short enough to lose with a worker.
TASK_S = 20.0
# A small sweep is cut finer, so that every worker gets some of it and none is waited for.
TASKS_PER_WORKER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """All arms of link `number` of the plan in the blocks from `first` up to `last`.

    `done` has a byte per block for cells with samples in the run, 1 where there is one. `calibrate`: ids of links that
    the task is the first to fetch over.
    """

    number: int
    first: int
    last: int
    done: Mapping[str, bytes]
    calibrate: frozenset[str]

    @property
    def name(self) -> str:
        return f"link-{self.number}-blocks-{self.first}-{self.last}"

    def blocks(self, plan: Plan) -> Iterator[tuple[Fetch, ...]]:
        """Yield what is left of each block."""
        link = list(plan.arms)[self.number]
        for block in plan.link_blocks(link, range(self.first, self.last)):
            left = tuple(fetch for fetch in block if not self._has(fetch))
            if left:
                yield left

    def links(self, plan: Plan) -> frozenset[str]:
        """Return the ids of what is calibrated: the link with each of its TCP settings."""
        return links_of(plan, list(plan.arms.values())[self.number])

    def _has(self, fetch: Fetch) -> bool:
        done = self.done.get(fetch.cell_id)
        return done is not None and bool(done[fetch.repetition - self.first])


def lay_out_tasks(
    plan: Plan, clock: Clock, finished: FinishedFetches, *, calibrated: frozenset[str], workers: int
) -> Iterator[Task]:
    """Yield the tasks for what `finished` lacks, the links in turn: every cell grows at the same pace.

    Links whose id is in `calibrated` are not calibrated again.
    """
    arms = list(plan.arms.values())
    lengths = blocks_per_task(plan, clock, workers)
    started = set(calibrated)
    for round_number in range(max(math.ceil(plan.samples / length) for length in lengths)):
        for number, (cells, length) in enumerate(zip(arms, lengths, strict=True)):
            first = round_number * length
            last = min(first + length, plan.samples)
            if first >= last or not finished.missing(cells, first, last):
                continue
            links = links_of(plan, cells)
            done = finished.repetitions(cells, first, last)
            yield Task(number=number, first=first, last=last, done=done, calibrate=links - started)
            started |= links


def links_of(plan: Plan, cells: Iterable[str]) -> frozenset[str]:
    """Return the ids of the links, each with its TCP settings, that `cells` lie over."""
    pairs = {(plan.cells[cell].link, plan.cells[cell].tcp) for cell in cells}
    return frozenset(link_id(link, tcp) for link, tcp in pairs)


def blocks_per_task(plan: Plan, clock: Clock, workers: int) -> list[int]:
    """Return the number of blocks in a task of each link."""
    per_link = [sum(fetch_seconds(plan.cells[cell], clock) for cell in cells) for cells in plan.arms.values()]
    share_s = plan.samples * sum(per_link) / (max(1, workers) * TASKS_PER_WORKER)
    task_s = min(TASK_S, share_s)
    return [min(plan.samples, max(1, math.ceil(task_s / block_s))) for block_s in per_link]
