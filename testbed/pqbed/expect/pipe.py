"""One direction of a link: frames leave one behind the other at its rate, and arrive a delay later."""

from dataclasses import dataclass

from pqbed.model import frame_ns


@dataclass(slots=True, kw_only=True)
class Pipe:
    """`free_ns` is when the frame before has left."""

    rate_bps: int | None
    delay_ns: int
    free_ns: int = 0

    def send(self, now_ns: int, frame_bytes: int) -> int:
        """Return when a frame sent now arrives."""
        self.free_ns = max(self.free_ns, now_ns) + frame_ns(frame_bytes, self.rate_bps)
        return self.free_ns + self.delay_ns
