"""Unnamed network namespaces, alive as long as a process holds the descriptor.

Nothing is left behind when the agent dies, however it dies.
"""

import os
import threading
from collections.abc import Callable

from pqbed.net.run_in_namespace import enter, leave_for_new


class Namespace:
    """A new network namespace. `path` names it for netlink while this process lives."""

    def __init__(self, set_up: Callable[[], object]) -> None:
        """Create it, and call `set_up` inside it (to pin its sysctls, which are per namespace)."""
        self._descriptor = -1
        self._failure: Exception | None = None
        # A namespace belongs to a thread: this thread creates it, and only the descriptor outlives the thread.
        thread = threading.Thread(target=self._make, args=(set_up,))
        thread.start()
        thread.join()
        if self._failure is not None:
            raise self._failure
        self.path = f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def enter(self) -> None:
        """Move the calling thread into the namespace."""
        enter(self._descriptor)

    def _make(self, set_up: Callable[[], object]) -> None:
        try:
            leave_for_new()
            self._descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            set_up()
        except Exception as failure:  # noqa: BLE001 - carried to the thread that waits
            self._failure = failure
