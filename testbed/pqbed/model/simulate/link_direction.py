"""One direction of a link: frames leave one after another at its rate, and arrive a delay later."""

from collections import deque
from dataclasses import dataclass, field

from pqbed.model.frames import frame_ns


@dataclass(slots=True, kw_only=True)
class Pipe:
    """`free_ns` is when the frame before has left. `overflowed`: more than `limit` frames were in the queue at once.

    A frame stays in the queue for `held_ns` after it has left: netem at an end holds its delay line too, a router's
    bottleneck does not. `limit` None: nothing is ever too many.
    """

    rate_bps: int | None
    delay_ns: int
    limit: int | None
    held_ns: int
    free_ns: int = 0
    overflowed: bool = False
    _queue: deque[int] = field(default_factory=deque)

    def send(self, now_ns: int, frame_bytes: int) -> int:
        """Return when a frame sent now arrives."""
        self.free_ns = max(self.free_ns, now_ns) + frame_ns(frame_bytes, self.rate_bps)
        while self._queue and self._queue[0] <= now_ns:
            self._queue.popleft()
        self._queue.append(self.free_ns + self.held_ns)
        self.overflowed |= self.limit is not None and len(self._queue) > self.limit
        return self.free_ns + self.delay_ns
