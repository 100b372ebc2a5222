"""Suspension of this host, from two of the kernel's clocks: one stands still meanwhile, the other does not.

CLOCK_MONOTONIC does not count the time that the host is suspended, CLOCK_BOOTTIME does (clock_gettime(2)).
"""

import time

# The two clocks are read one after the other, and a busy host may do something else in between.
TOLERANCE_NS = 100_000_000


class SuspensionWatch:
    """How long the host was suspended between two looks."""

    def __init__(self) -> None:
        self._before_ns = suspended_ns()

    def look(self) -> int:
        """Return for how many ns the host was suspended since the last look; 0 on systems without the clocks."""
        now_ns = suspended_ns()
        elapsed_ns, self._before_ns = now_ns - self._before_ns, now_ns
        return elapsed_ns if elapsed_ns > TOLERANCE_NS else 0


def suspended_ns() -> int:
    """Return for how long the host has been suspended since it started, ns."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0
    awake_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - awake_ns
