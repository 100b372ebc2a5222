"""What a check is, and what it requires."""

from collections.abc import Callable
from typing import Any

from pqbed.errors import HostError

# Reading the clock and the two system calls take under 1 us in the guest.
TOLERANCE_NS = 2_000


def require(true: bool, message: str) -> None:
    if not true:
        raise AssertionError(message)


def equal(got: Any, wanted: Any, what: str) -> None:
    require(got == wanted, f"{what}: {got} instead of {wanted}")


def near(got: list[int | None], wanted: list[int]) -> int:
    """Require every delay to be as predicted; return the largest difference in ns."""
    require(None not in got, "a datagram was lost")
    off = [mine - model for mine, model in zip(got, wanted, strict=True)]
    worst = max(off, key=abs)
    require(min(off) >= 0 and worst < TOLERANCE_NS, f"delays differ by {min(off)} to {max(off)} ns")
    return worst


def fails(work: Callable[[], Any], words: str) -> None:
    try:
        work()
    except HostError as error:
        require(words in error.message, f"{error.message!r} does not say {words!r}")
        return
    raise AssertionError(f"no error that says {words!r}")
