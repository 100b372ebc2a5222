"""One direction of a link: frames leave one behind the other at its rate, and arrive a delay later."""

from collections import deque
from dataclasses import dataclass, field

from pqbed.model import frame_ns
from pqbed.net.shape import Side, delay_of, rate_of, shape_end, shape_stage
from pqbed.spec.cell import Cell


@dataclass(slots=True, kw_only=True)
class Pipe:
    """`free_ns` is when the frame before has left.

    `limit` is how many frames netem holds there at most (None: without end), each until `held_ns` after it has left.
    One that finds no room is only noted in `overflowed`: what its loss would do is not modelled.
    """

    rate_bps: int | None
    delay_ns: int
    limit: int | None = None
    held_ns: int = 0
    free_ns: int = 0
    overflowed: bool = False
    _held: deque[int] = field(default_factory=deque)

    def send(self, now_ns: int, frame_bytes: int) -> int:
        """Return when a frame sent now arrives."""
        held = self._held
        while held and held[0] <= now_ns:
            held.popleft()
        self.overflowed |= self.limit is not None and len(held) >= self.limit
        self.free_ns = max(self.free_ns, now_ns) + frame_ns(frame_bytes, self.rate_bps)
        held.append(self.free_ns + self.held_ns)
        return self.free_ns + self.delay_ns


def make_pipe(cell: Cell, side: Side) -> Pipe:
    """Return the way of what `side` sends. At the ends netem holds the delay line too, in a router the queue alone."""
    rate_bps, delay_ns = rate_of(cell.link, side), delay_of(cell.link, side)
    if cell.link.layout == "ends":
        limit = shape_end(cell.link, cell.tcp, side, 0).limit_packets
        return Pipe(rate_bps=rate_bps, delay_ns=delay_ns, limit=limit, held_ns=delay_ns)
    if rate_bps is None:
        return Pipe(rate_bps=rate_bps, delay_ns=delay_ns)
    bottleneck = shape_stage(cell.link, cell.tcp, "down-rate" if side == "server" else "up-rate", 0)
    return Pipe(rate_bps=rate_bps, delay_ns=delay_ns, limit=bottleneck.limit_packets)
