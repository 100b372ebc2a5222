"""The kernel's timer wheel: when a time-out of so many jiffies fires (kernel/time/timer.c).

A time-out is kept in buckets that are coarser the longer it is. In virtual time every fetch starts at the same phase
of the wheel (docs/design/dd-007-repeatable.md), so the simulator knows it too; the guest's HZ is 1000.
"""

JIFFY_NS = 1_000_000
HZ = 1000
# Seen in guests: the SYN leaves this long after a tick, and that tick's number within the wheel.
SYN_AFTER_TICK_NS = 56_000
SYN_TICK = 3104

# Level n of the wheel holds time-outs below 63 << 3n jiffies, and is 1 << 3n jiffies coarse.
_LEVEL_SHIFT = 3
_FIRST_LEVEL = 63


def jiffies(now_ns: int) -> int:
    """Return the jiffies counter at `now_ns` after the SYN."""
    return SYN_TICK + (now_ns + SYN_AFTER_TICK_NS) // JIFFY_NS


def expiry_ns(now_ns: int, timeout: int) -> int:
    """Return when a timer that is set now to `timeout` jiffies fires."""
    shift = 0
    while timeout >= _FIRST_LEVEL << shift:
        shift += _LEVEL_SHIFT
    bucket = (((jiffies(now_ns) + timeout) >> shift) + 1) << shift
    return (bucket - SYN_TICK) * JIFFY_NS - SYN_AFTER_TICK_NS


def stamp_ms(now_ns: int) -> int:
    """Return the clock of TCP's time stamps, in ms."""
    return (now_ns + SYN_AFTER_TICK_NS) // 1_000_000


def from_us(time_us: int) -> int:
    """Return a time in jiffies, rounded up."""
    return -(-time_us // 1000)
