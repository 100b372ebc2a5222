"""Run or resume the small sweep in a process of its own, which the test kills.

drive_sweep.py OUT KILL_AT SLEEP_S [PRECISION_PPM]: KILL_AT is the number of the system call that this process does not
live to see the end of (0: none). A write dies half done, the others before they are made. With a precision it is the
sweep of `precise_plan`. It prints how many calls there were.

Without arguments it reads such lines from its standard input, forks for each, and answers with exit code and count:
what is imported once need not be imported for every kill. Nothing is computed before the fork, so no lock is held.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pqbed.beds.fake_bed import FakeBed
from pqbed.runner import run_sweep
from pqbed.stats.comparison_precision import half_widths
from pqbed.store.run_directory import open_run
from support.sweeps import new_run, precise_plan, small_plan

CALLS = ("write", "fsync", "replace", "rename", "unlink")


def main() -> None:
    if len(sys.argv) > 1:
        print(drive(*sys.argv[1:]))  # noqa: T201
        return
    for line in sys.stdin:
        print(*fork_and_drive(line.rstrip("\n").split("\t")), flush=True)  # noqa: T201


def fork_and_drive(arguments: list[str]) -> tuple[int, int]:
    """Return exit code (negative: the signal) and count (0 where it did not come to its end)."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            count = drive(*arguments)
            real_write(writer, str(count).encode())
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writer)
    count = int(os.read(reader, 20) or 0)
    os.close(reader)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), count


real_write = os.write


def drive(out: str, kill_at: str, sleep_s: str, precision_ppm: str = "") -> int:
    """Run or resume the sweep in the folder; return how many system calls it made."""
    calls = count_calls(int(kill_at))
    runs = sorted(Path(out).glob("2*"))
    plan = precise_plan(int(precision_ppm)) if precision_ppm else small_plan()
    with open_run(runs[0]) if runs else new_run(Path(out)) as run:
        run_sweep(plan, FakeBed(sleep_s=float(sleep_s)), run, lanes=2, half_widths=half_widths)
    return len(calls)


def count_calls(kill_at: int) -> list[str]:
    calls: list[str] = []
    for name in CALLS:
        setattr(os, name, deadly(name, getattr(os, name), calls, kill_at))
    return calls


def deadly(name: str, call: Callable[..., Any], calls: list[str], kill_at: int) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **options: Any) -> Any:
        calls.append(name)
        if len(calls) == kill_at:
            if name == "write":
                call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)

    return wrapped


if __name__ == "__main__":
    main()
