"""Sweeps as processes of their own: started, resumed and stopped from a page, and never ended with the server."""

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pqbed.errors import StoreError
from pqbed.store.run_writer import find_writer

PROGRAM = (sys.executable, "-m", "pqbed_cli")
MOST_LOG_BYTES = 20_000
_RUN_LINE = re.compile(r"^run: (?P<path>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A command that was started: what it printed so far, its run once it has one, its exit code once it ended."""

    command: str
    log: str
    run: str | None
    exit_code: int | None


class SweepProcesses:
    """The processes that this server started. Each writes to a file, so that the end of the server breaks no pipe."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._logs = Path(tempfile.mkdtemp(prefix="pqbed-serve-"))
        self._started: dict[str, tuple[subprocess.Popen[bytes], Sequence[str]]] = {}

    def start(self, arguments: Sequence[str]) -> str:
        """Run `pqbed` with these arguments in a session of its own; return the name of the start."""
        name = secrets.token_hex(4)
        with (self._logs / name).open("wb") as log:
            process = subprocess.Popen(
                [*PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._started[name] = process, arguments
        return name

    def look(self, name: str) -> Start | None:
        """Return how the start `name` is; None if there was none."""
        if name not in self._started:
            return None
        process, arguments = self._started[name]
        exit_code = process.poll()
        log = (self._logs / name).read_bytes()[:MOST_LOG_BYTES].decode(errors="replace")
        found = _RUN_LINE.search(log)
        run = Path(found["path"]) if found else None
        return Start(
            command=" ".join(["pqbed", *arguments]),
            log=log,
            run=run.name if run is not None and (self._out / run.name).is_dir() else None,
            exit_code=exit_code,
        )

    def running(self) -> list[str]:
        """Return the commands that have not ended."""
        looks = [self.look(name) for name in self._started]
        return [look.command for look in looks if look is not None and look.exit_code is None]


def stop_writer(run: Path) -> None:
    """Interrupt the process that writes `run`, whoever started it. Raises StoreError if there is none of ours.

    It ends as with Ctrl-C: what was measured is kept, and the run can be resumed.
    """
    writer = find_writer(run)
    if writer is None:
        raise StoreError(f"no process writes {run.name}", "it has ended already")
    with contextlib.suppress(ProcessLookupError):
        try:
            os.kill(writer, signal.SIGTERM)
        except PermissionError as error:
            raise StoreError(f"process {writer}, which writes {run.name}, is another user's", "ask them") from error
