"""Long build commands: output goes to a log, steps to a callback, the end of the log into the error."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from pqbed.errors import BuildError
from pqbed.user_folders import cache_home

# Called with the name of a step and, if known, its progress (0 to 1).
OnStep = Callable[[str, float | None], None]

LAST_LINES = 15
STEP_MARK = "@step "
# A script's own sentence on why it ends in failure: the log has nothing to add.
REFUSAL_MARK = "@refuse "


def no_progress(name: str, fraction: float | None) -> None:
    """Ignore progress."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One program run; `name` names its log and its first step."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    hint: str = ""


@dataclass(kw_only=True)
class _Progress:
    """Turns output into steps: a line `@step NAME` begins one of `expected[NAME]` lines, if that is known."""

    name: str
    on_step: OnStep
    expected: Mapping[str, int]
    seen: int = 0
    reported: int = -1

    def read(self, line: str) -> None:
        if line.startswith(STEP_MARK):
            self.name, self.seen, self.reported = line.removeprefix(STEP_MARK).strip(), 0, -1
            self.on_step(self.name, None)
            return
        self.seen += 1
        whole = self.expected.get(self.name)
        percent = 100 * self.seen // whole if whole else 0
        if whole and self.reported < percent < 100:
            self.reported = percent
            self.on_step(self.name, percent / 100)


class _ProcessGroup:
    """Processes that run in parallel: after `end` none is left and none can start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[str]] = []
        self._ended = False

    def start(self, command: Command) -> subprocess.Popen[str]:
        with self._lock:
            if self._ended:
                raise BuildError(f"{command.name} was not started: another step failed")
            process = _start(command)
            self._processes.append(process)
            return process

    def end(self) -> None:
        with self._lock:
            self._ended = True
            for process in self._processes:
                _end(process)


def run_commands(commands: Sequence[Command], on_step: OnStep, expected: Mapping[str, int] | None = None) -> None:
    """Run `commands` in parallel. If one fails or the caller is interrupted, the others are ended too.

    `expected` is the number of lines that a step prints. Raises BuildError for the first that fails. `on_step` is
    called from the threads that read the output.
    """
    group = _ProcessGroup()
    with ThreadPoolExecutor(max_workers=max(1, len(commands))) as pool:
        futures = [pool.submit(_run, command, on_step, expected or {}, group) for command in commands]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        finally:
            group.end()


def _run(command: Command, on_step: OnStep, expected: Mapping[str, int], group: _ProcessGroup) -> None:
    log = cache_home() / "logs" / f"{command.name.replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    on_step(command.name, None)
    progress = _Progress(name=command.name, on_step=on_step, expected=expected)
    tail: deque[str] = deque(maxlen=LAST_LINES)
    with log.open("w", encoding="utf-8") as out, group.start(command) as process:
        assert process.stdout is not None
        for line in process.stdout:
            out.write(line)
            out.flush()
            tail.append(line)
            progress.read(line)
        code = process.wait()
    refusal = next((line for line in tail if line.startswith(REFUSAL_MARK)), None)
    if code != 0 and refusal is not None:
        raise BuildError(refusal.removeprefix(REFUSAL_MARK).strip())
    if code != 0:
        raise BuildError(
            f"{command.name} failed (exit code {code}); the last lines of {log}:",
            hint=command.hint,
            lines=tuple("".join(tail).rstrip().splitlines()),
        )
    on_step(command.name, 1.0)


def _start(command: Command) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command.argv,
            env={**os.environ, **command.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise BuildError(f"cannot start {command.argv[0]}: {error.strerror}", hint=command.hint) from error


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        return
    # The whole group: mmdebstrap then unmounts and removes its own temporary root.
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
            process.wait(timeout=20)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        return
