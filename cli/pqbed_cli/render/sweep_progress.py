"""How far a sweep is: a bar with the time left on a terminal, a plain line every tenth otherwise. Always on stderr."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pqbed_cli.render.number_format import span
from pqbed_cli.render.streams import note

if TYPE_CHECKING:
    from rich.progress import Progress

PLAIN_LINES = 10


class SweepProgress(Protocol):
    """The display of a sweep. Not safe for two threads at once: the runner reports from a single one."""

    def taken(self, samples: int, *, failed: int, workers: int = 0, tasks: int = 0) -> None:
        """Count `samples`; of a cluster, say how many workers it has and how many tasks they have been given."""
        ...

    def expect(self, total: int) -> None:
        """Take another number of samples for the end."""
        ...

    def note(self, line: str) -> None:
        """Print a line without breaking the display."""
        ...

    def close(self) -> None:
        """End the display."""
        ...


def show_progress(total: int, done: int = 0, seconds_left: Callable[[], float] | None = None) -> SweepProgress:
    """Return a display for `total` samples, of which `done` were there before.

    `seconds_left` says how long it will take; without it what is left costs as much as what was done.
    """
    return _Bar(total, done, seconds_left) if sys.stderr.isatty() else _Lines(total, done, seconds_left)


class _Lines:
    def __init__(self, total: int, done: int, seconds_left: Callable[[], float] | None) -> None:
        self._total, self._done, self._before, self._failed = total, done, done, 0
        self._seconds_left = seconds_left or self._share_left
        self._may_grow = seconds_left is not None
        self._begun = time.monotonic()
        self._tenth = PLAIN_LINES * done // max(1, total)
        self._cluster = 0, 0

    def taken(self, samples: int, *, failed: int, workers: int = 0, tasks: int = 0) -> None:
        self._done += samples
        self._failed += failed
        self._cluster = workers, tasks
        if self._done < self._total or not self._may_grow:  # else the next look says whether this was the end
            self._note_tenth()

    def expect(self, total: int) -> None:
        self._total = total
        self._tenth = min(self._tenth, PLAIN_LINES * self._done // max(1, total))
        if self._done == total:
            self._note_tenth()

    def _note_tenth(self) -> None:
        tenth = PLAIN_LINES * self._done // max(1, self._total)
        if tenth > self._tenth:
            self._tenth = tenth
            self.note(self._line())

    def note(self, line: str) -> None:
        note(line)

    def close(self) -> None:
        """Nothing to end."""

    def _line(self) -> str:
        spent = time.monotonic() - self._begun
        rest = f", {span(self._seconds_left())} left" if self._done < self._total else f" in {span(spent)}"
        cluster = _cluster_text(*self._cluster, (self._done - self._before) / max(1e-9, spent))
        return f"{self._done} of {self._total} samples, {self._failed} failed{cluster}{rest}"

    def _share_left(self) -> float:
        spent = time.monotonic() - self._begun
        return spent / max(1, self._done - self._before) * (self._total - self._done)


class _Bar:
    def __init__(self, total: int, done: int, seconds_left: Callable[[], float] | None) -> None:
        self._failed = self._taken = 0
        self._begun = time.monotonic()
        self._seconds_left = seconds_left
        self._progress = _start_bar(forecast=seconds_left is not None)
        self._task = self._progress.add_task("samples", total=total, completed=done, failed="0 failed", left="")

    def taken(self, samples: int, *, failed: int, workers: int = 0, tasks: int = 0) -> None:
        self._failed += failed
        self._taken += samples
        left = "" if self._seconds_left is None else span(self._seconds_left())
        rate = self._taken / max(1e-9, time.monotonic() - self._begun)
        shown = f"{self._failed} failed{_cluster_text(workers, tasks, rate)}"
        self._progress.update(self._task, advance=samples, failed=shown, left=left)

    def expect(self, total: int) -> None:
        self._progress.update(self._task, total=total)

    def note(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False)

    def close(self) -> None:
        self._progress.stop()


def _cluster_text(workers: int, tasks: int, rate: float) -> str:
    """Return what there is to say of a cluster, nothing without workers."""
    return f", {workers} workers with {tasks} tasks, {rate:.0f} fetches/s" if workers else ""


def _start_bar(*, forecast: bool) -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]}"),
        TextColumn("{task.fields[left]}") if forecast else TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
    )
    progress.start()
    return progress
