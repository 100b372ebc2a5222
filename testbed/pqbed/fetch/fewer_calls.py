"""The same fetch by libcurl with fewer system calls, in the process of a client of a guest in virtual time.

images/openssl/fewer_calls.c says what the library does, docs/design/dd-035-fewer-calls.md what that changes.
"""

import contextlib
import ctypes
import time
from collections.abc import Iterator

# In a root: built beside pycurl, and loaded before libcurl.
LIBRARY = "/opt/pqbed/vendor/fewer_calls.so"
PRELOAD_VARIABLE = "LD_PRELOAD"


class FewerCalls:
    """Tells the library of fetches, where it is loaded; elsewhere it does nothing.

    `records` counts the reads that took the rest of a record, `clocks` the readings of a clock without a system call.
    """

    def __init__(self) -> None:
        loaded = ctypes.CDLL(None)
        self._begin, self._end = (getattr(loaded, f"fewer_calls_{name}", None) for name in ("begin", "end"))
        self._counts = {
            name: ctypes.c_uint64.in_dll(loaded, f"fewer_calls_{name}") if self._begin else ctypes.c_uint64()
            for name in ("records", "clocks")
        }

    @contextlib.contextmanager
    def during(self, timeout_ns: int) -> Iterator[None]:
        """Let the fetch within, which takes `timeout_ns` at most, do with fewer calls."""
        if self._begin is None or self._end is None:
            yield
            return
        self._begin(ctypes.c_int64(time.monotonic_ns() + timeout_ns))
        try:
            yield
        finally:
            self._end()

    @property
    def loaded(self) -> bool:
        return self._begin is not None

    @property
    def records(self) -> int:
        return self._counts["records"].value

    @property
    def clocks(self) -> int:
        return self._counts["clocks"].value


def client_environment() -> dict[str, str]:
    """Return the environment that loads the library in another client's process, where it is loaded in this one."""
    return {PRELOAD_VARIABLE: LIBRARY} if FewerCalls().loaded else {}
