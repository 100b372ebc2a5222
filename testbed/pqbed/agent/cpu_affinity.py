"""`python3 -m pqbed.agent.cpu_affinity LANE PROGRAM [ARGUMENT...]`: CPU affinity, then PROGRAM.

A guest's kernel and its processes alternate, and waking another CPU at each switch costs far more than the switch.
"""

import os
import sys
from collections.abc import Sequence


def cpu_of(lane: int) -> int:
    """Return the CPU for `lane` among those that this process may use; neighbouring lanes get different CPUs."""
    cpus = sorted(os.sched_getaffinity(0))
    return cpus[lane % len(cpus)]


def pinned(lane: int, command: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments that run `command` in an image on one CPU."""
    return ("python3", "-m", "pqbed.agent.cpu_affinity", str(lane), *command)


def main(lane: str, program: str, *arguments: str) -> None:
    """Restrict this process to the CPU of `lane`, and replace it by `program`."""
    os.sched_setaffinity(0, {cpu_of(int(lane))})
    os.execv(program, (program, *arguments))  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(*sys.argv[1:])
