"""Whole TLS records by one system call, in the process of a client of a guest in virtual time.

There each system call costs more than all the rest of a segment. images/openssl/record_reads.c says how it is done, and
docs/design/dd-035-record-reads.md what it changes.
"""

import ctypes
import time

# In a root: built beside pycurl, and loaded before libcurl by the agent's processes alone.
LIBRARY = "/opt/pqbed/vendor/record_reads.so"
PRELOAD_VARIABLE = "LD_PRELOAD"


class RecordReads:
    """Tells the library which connection to watch, where it was loaded before libcurl; elsewhere it does nothing."""

    def __init__(self) -> None:
        loaded = ctypes.CDLL(None)
        self._arm = getattr(loaded, "record_reads_arm", None)
        self._whole = ctypes.c_uint64.in_dll(loaded, "record_reads_whole") if self._arm else ctypes.c_uint64()

    def arm(self, timeout_ns: int) -> None:
        """Watch the next connection, and the present one, for `timeout_ns` from now."""
        if self._arm is not None:
            self._arm(ctypes.c_int64(time.monotonic_ns() + timeout_ns))

    @property
    def whole(self) -> int:
        """Return how many reads have taken the rest of a record."""
        return self._whole.value
