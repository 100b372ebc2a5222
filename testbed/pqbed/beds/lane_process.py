"""Process of a lane, with lines on standard input and output: a uml guest, or an agent in namespaces.

`LaneProcess` is the interface that a lane needs; containers implement it too (beds/docker/).
"""

import collections
import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pqbed.errors import HostError, LaneError
from pqbed.owned_folders import OwnedFolder

# The program that confines a lane to its root before it starts.
CONFINE = str(Path(__file__).with_name("confine_process.py"))
END_TIMEOUT_S = 5.0
READ_BYTES = 65536


class LaneProcess(Protocol):
    """A running lane: lines in, lines out."""

    def write(self, text: str) -> None:
        """Send text. Raises OSError if the other side is gone."""
        ...

    def readline(self, timeout_s: float) -> str:
        """Return the next line, "" if the other side is gone. Raises LaneError if none comes in time."""
        ...

    def was_stopped(self) -> bool:
        """Return whether it was stopped (SIGSTOP) since the last call, as far as this host can know."""
        ...

    def last_words(self) -> str:
        """Return the end of its standard error."""
        ...

    def close(self) -> None:
        """End it. Safe to call twice."""
        ...


class LineReader:
    """Lines from a descriptor, each with a deadline."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._ready: collections.deque[bytes] = collections.deque()
        self._rest = b""

    def readline(self, timeout_s: float) -> str:
        """Return the next line, "" at the end. Raises LaneError if none comes in time."""
        deadline = time.monotonic() + timeout_s
        while not self._ready:
            left_s = deadline - time.monotonic()
            try:
                if left_s <= 0 or not select.select([self._descriptor], [], [], left_s)[0]:
                    raise LaneError(f"the lane sent nothing for {timeout_s:.0f} s")
                data = os.read(self._descriptor, READ_BYTES)
            except OSError:
                return ""  # closed by another thread, which cut a fetch in flight
            if not data:
                return ""
            *whole, self._rest = (self._rest + data).split(b"\n")
            self._ready.extend(whole)
        return self._ready.popleft().decode(errors="replace") + "\n"


class PlainProcess:
    """A lane as a process group of this user. Its folder `work` is removed with it.

    `room_bytes`: what its files in `work` may grow to. A program whose memory is a file there is killed by a bus error
    or worse where the file system is full, and does not say why.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], work: OwnedFolder, room_bytes: int = 0
    ) -> None:
        """Start `command`. Takes over `work`; raises HostError if it does not start."""
        self._work = work
        self._room_bytes = room_bytes
        self._log = work.path / "stderr.log"
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=environment,
                    bufsize=0,
                    start_new_session=True,
                )
        except OSError as error:
            work.remove()
            raise HostError(f"{command[0]} does not start: {error}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin
        self._output = self._process.stdout
        self.pid = self._process.pid
        self._lines = LineReader(self._output.fileno())

    def write(self, text: str) -> None:
        data = memoryview(text.encode())
        while data:
            data = data[self._input.write(data) or 0 :]

    def readline(self, timeout_s: float) -> str:
        return self._lines.readline(timeout_s) or self._end()

    def _end(self) -> str:
        """Return "". Raises LaneError if the process may have ended because there was no room for its memory."""
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(self._work.path).free
            if free < self._room_bytes:
                folder = self._work.path.parent
                raise LaneError(
                    f"a guest ended; {folder} has {free >> 20} MiB free, and its memory, which may be a file there, "
                    f"takes up to {self._room_bytes >> 20} MiB",
                    "free some space there, or set TMPDIR to another folder, best on a tmpfs",
                )
        return ""

    def was_stopped(self) -> bool:
        changed = False
        # Each call takes one change of state from the kernel; the end of the process is left to whoever waits for it.
        with contextlib.suppress(ChildProcessError):
            while os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WCONTINUED | os.WNOHANG) is not None:
                changed = True
        return changed

    def last_words(self) -> str:
        with contextlib.suppress(OSError):
            return self._log.read_text(errors="replace").strip()[-600:]
        return ""

    def close(self) -> None:
        """Close its input, which ends the agent, then kill what is left of the group."""
        if self._process.returncode is None:
            with contextlib.suppress(OSError):
                self._input.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=END_TIMEOUT_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._output.close()
        self._work.remove()
