"""Changes of an interface's shaping while a fetch runs: a thread that sends the kernel each change when it is due.

In virtual time a thread runs when its time has come, on the real clock when the host lets it.

Packets that netem has taken keep the time it gave them; a rate that changes is that of the token bucket before it
(managed_queue.py), so what waits there leaves at the new one.
"""

import ctypes
import threading
import time
from collections.abc import Callable

from pqbed.spec.link_end_shape import EndShape, at_time
from pqbed.units import NS_PER_S

# prctl(2): how late the kernel may wake this thread; 50 us otherwise.
_PR_SET_TIMERSLACK, _SLACK_NS = 29, 1


class TimelinePlayer:
    """Plays the timeline of `shape` from its creation on, by `apply`, which is called in a thread of its own."""

    def __init__(self, shape: EndShape, apply: Callable[[EndShape], None]) -> None:
        self._shape = shape
        self._apply = apply
        self._start_ns = time.monotonic_ns()
        self._ended = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it. Raises what `apply` raised, if it did."""
        self._ended.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _play(self) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, _SLACK_NS, 0, 0, 0)
        timeline = self._shape.timeline
        change_ns = None if timeline is None else timeline.next_change_ns(0)
        while timeline is not None and change_ns is not None:
            left_ns = self._start_ns + change_ns - time.monotonic_ns()
            if left_ns > 0 and self._ended.wait(left_ns / NS_PER_S):
                return
            if left_ns > 0:
                continue  # woken a little early: the rest
            try:
                self._apply(at_time(self._shape, change_ns))
            except Exception as error:  # noqa: BLE001 (raised again where the fetch ends)
                self._error = error
                return
            change_ns = timeline.next_change_ns(change_ns)
