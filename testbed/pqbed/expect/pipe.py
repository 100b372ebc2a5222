"""One direction of a link: frames leave one behind the other at its rate, and arrive a delay later."""

from collections import deque
from dataclasses import dataclass, field

from pqbed.model import frame_ns


@dataclass(slots=True, kw_only=True)
class Pipe:
    """`free_ns` is when the frame before has left. `overflowed`: more frames than `limit` were on their way at once."""

    rate_bps: int | None
    delay_ns: int
    limit: int
    free_ns: int = 0
    overflowed: bool = False
    _arrivals: deque[int] = field(default_factory=deque)

    def send(self, now_ns: int, frame_bytes: int) -> int:
        """Return when a frame sent now arrives."""
        self.free_ns = max(self.free_ns, now_ns) + frame_ns(frame_bytes, self.rate_bps)
        arrival_ns = self.free_ns + self.delay_ns
        while self._arrivals and self._arrivals[0] <= now_ns:
            self._arrivals.popleft()
        self._arrivals.append(arrival_ns)
        self.overflowed |= len(self._arrivals) > self.limit
        return arrival_ns
