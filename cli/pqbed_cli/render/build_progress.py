"""Show the steps of making artefacts: bars on a terminal, two lines a step otherwise. Always on stderr."""

import sys
import threading
import time
from typing import TYPE_CHECKING, Protocol

from pqbed_cli.render.streams import note

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Steps(Protocol):
    """Call it with a step's name and how far it is (0 to 1; None: not known), from any thread."""

    def __call__(self, name: str, fraction: float | None) -> None: ...

    def close(self) -> None:
        """End the display. Later steps are not shown."""
        ...


def show_steps() -> Steps:
    """Return a display that stays silent until the first step."""
    return _Bars() if sys.stderr.isatty() else _Lines()


class _Lines:
    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str, fraction: float | None) -> None:
        with self._lock:
            if name not in self._begun:
                self._begun[name] = time.monotonic()
                note(f"{name} ...")
            if fraction is not None and fraction >= 1:
                note(f"{name}: done in {time.monotonic() - self._begun[name]:.0f} s")

    def close(self) -> None:
        """Nothing to end."""


class _Bars:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._closed = False

    def __call__(self, name: str, fraction: float | None) -> None:
        with self._lock:
            if self._closed:
                return
            if self._progress is None:
                self._progress = _start_bars()
            if name not in self._tasks:
                self._tasks[name] = self._progress.add_task(name, total=None)
            if fraction is not None:
                self._progress.update(self._tasks[name], total=1.0, completed=fraction)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._progress is not None:
                self._progress.stop()


def _start_bars() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=Console(stderr=True))
    progress.start()
    return progress
