"""Run or resume the small sweep in a process of its own, which the test kills.

drive_sweep.py OUT KILL_AT SLEEP_S [PRECISION_PPM]: KILL_AT is the number of the system call that this process does not
live to see the end of (0: none). A write dies half done, the others before they are made. With a precision it is the
sweep of `precise_plan`.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pqbed.beds.fake import FakeBed
from pqbed.runner import run_sweep
from pqbed.stats.precision import half_widths
from pqbed.store.run import open_run
from support.sweeps import new_run, precise_plan, small_plan

CALLS = ("write", "fsync", "replace", "rename", "unlink")


def main() -> None:
    out, kill_at, sleep_s = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    count = count_calls(kill_at)
    found = sorted(out.glob("2*"))
    plan = precise_plan(int(sys.argv[4])) if len(sys.argv) > 4 else small_plan()
    with open_run(found[0]) if found else new_run(out) as run:
        run_sweep(plan, FakeBed(sleep_s=sleep_s), run, lanes=2, half_widths=half_widths)
    print(len(count))  # noqa: T201


def count_calls(kill_at: int) -> list[str]:
    made: list[str] = []
    for name in CALLS:
        setattr(os, name, deadly(name, getattr(os, name), made, kill_at))
    return made


def deadly(name, call, made, kill_at):
    def wrapped(*arguments, **options):
        made.append(name)
        if len(made) == kill_at:
            if name == "write":
                call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)

    return wrapped


if __name__ == "__main__":
    main()
