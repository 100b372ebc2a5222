"""Address space that this process may use: `ulimit -v` (RLIMIT_AS) refused where native libraries would end us.

polars, OpenBLAS and V8 reserve more than they use, and call abort(3) where they may not: nobody can catch that.
"""

import ctypes
import os
import resource

from pqbed.errors import HostError

GIB = 1 << 30
# Without less than this a run of two million samples was shown, explained and exported on two cores. Each thread of the
# libraries reserves a stack, an arena of the allocator and a buffer.
LEAST_BYTES = 2 * GIB
PER_CORE_BYTES = GIB // 8
# V8 reserves 64 GiB at once, for what vl-convert draws with.
DRAWING_BYTES = 68 * GIB

# malloc.h of glibc.
_M_ARENA_MAX = -8

HINT = "raise it with `ulimit -v unlimited`; to limit memory that is used, take a cgroup (systemd-run -p MemoryMax=2G)"


def require_address_space(least_bytes: int | None = None) -> None:
    """Raise HostError if the limit is below `least_bytes`, or what any command needs on this many cores."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    least = LEAST_BYTES + PER_CORE_BYTES * (os.cpu_count() or 1) if least_bytes is None else least_bytes
    if limit != resource.RLIM_INFINITY and limit < least:
        raise HostError(
            f"the address space of this process is limited to {limit / GIB:.1f} GiB, it needs {least / GIB:.1f} GiB",
            HINT,
        )


def share_one_arena() -> None:
    """Let all threads take memory where any gives it back: with an arena each, glibc keeps some 60 MB for a large run.

    What other threads have by then stays theirs. Does nothing without glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
