"""`python3 -m pqbed.agent.cpu_affinity LANE PROGRAM [ARGUMENT...]`: become PROGRAM, kept on one CPU.

A guest's kernel and its processes take turns, and waking another CPU for each turn costs far more than the turn.
"""

import os
import sys
from collections.abc import Sequence


def cpu_of(lane: int) -> int:
    """Return the CPU for `lane`: neighbours get different ones of those that this process may use."""
    cpus = sorted(os.sched_getaffinity(0))
    return cpus[lane % len(cpus)]


def pinned(lane: int, command: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments that run `command` in an image so."""
    return ("python3", "-m", "pqbed.agent.cpu_affinity", str(lane), *command)


def main(lane: str, program: str, *arguments: str) -> None:
    """Become `program`."""
    os.sched_setaffinity(0, {cpu_of(int(lane))})
    os.execv(program, (program, *arguments))  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(*sys.argv[1:])
