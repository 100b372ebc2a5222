"""How far a sweep is: a bar with the time left on a terminal, a plain line every tenth otherwise. Always on stderr."""

import sys
import time
from typing import TYPE_CHECKING, Protocol

import typer

from pqbed_cli.render.numbers import span

if TYPE_CHECKING:
    from rich.progress import Progress

PLAIN_LINES = 10


class SweepProgress(Protocol):
    """Told of every sample. Not safe for two threads at once: the runner reports from one."""

    def sample(self, *, failed: bool) -> None:
        """Count one sample."""
        ...

    def note(self, line: str) -> None:
        """Print a line without breaking the display."""
        ...

    def close(self) -> None:
        """End the display."""
        ...


def show_progress(total: int, done: int = 0) -> SweepProgress:
    """Return a display for `total` samples, of which `done` were there before."""
    return _Bar(total, done) if sys.stderr.isatty() else _Lines(total, done)


class _Lines:
    def __init__(self, total: int, done: int) -> None:
        self._total, self._done, self._before, self._failed = total, done, done, 0
        self._begun = time.monotonic()
        self._tenth = PLAIN_LINES * done // max(1, total)

    def sample(self, *, failed: bool) -> None:
        self._done += 1
        self._failed += failed
        tenth = PLAIN_LINES * self._done // max(1, self._total)
        if tenth > self._tenth:
            self._tenth = tenth
            self.note(self._line())

    def note(self, line: str) -> None:
        typer.echo(line, err=True)

    def close(self) -> None:
        """Nothing to end."""

    def _line(self) -> str:
        spent = time.monotonic() - self._begun
        left = spent / max(1, self._done - self._before) * (self._total - self._done)
        rest = f", {span(left)} left" if self._done < self._total else f" in {span(spent)}"
        return f"{self._done} of {self._total} samples, {self._failed} failed{rest}"


class _Bar:
    def __init__(self, total: int, done: int) -> None:
        self._failed = 0
        self._progress = _start_bar()
        self._task = self._progress.add_task("samples", total=total, completed=done, failed=0)

    def sample(self, *, failed: bool) -> None:
        self._failed += failed
        self._progress.update(self._task, advance=1, failed=self._failed)

    def note(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False)

    def close(self) -> None:
        self._progress.stop()


def _start_bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
    )
    progress.start()
    return progress
