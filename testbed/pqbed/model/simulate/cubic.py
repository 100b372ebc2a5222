"""CUBIC's congestion window (net/ipv4/tcp_cubic.c): slow start, HyStart, and growth beyond them."""

import math
from dataclasses import dataclass, field

from pqbed.model.simulate.hystart import HyStart
from pqbed.model.simulate.jiffies import HZ, from_us, jiffies

INFINITE_SSTHRESH = 0x7FFF_FFFF
_BETA, _SCALE = 717, 1024
_CUBE = 410
_FRIENDLY_SCALE = 8 * (_SCALE + _BETA) // 3 // (_SCALE - _BETA)
# Before any loss a window grows by one segment for this many acknowledged at the latest.
_SLOWEST = 20


@dataclass(slots=True)
class Cubic:
    """The window in segments, its threshold, and what CUBIC remembers. Times in us and jiffies."""

    window: int
    threshold: int = INFINITE_SSTHRESH
    hystart: HyStart = field(default_factory=HyStart)
    _credit: int = 0
    _shortest_us: int = 0
    _epoch_start: int = 0
    _acks_a_segment: int = 0
    _acks: int = 0
    _origin: int = 0
    _to_origin: int = 0
    _friendly: int = 0
    _last_window: int = 0
    _last_at: int = 0
    _largest: int = 0

    @property
    def in_slow_start(self) -> bool:
        return self.window < self.threshold

    @property
    def present_threshold(self) -> int:
        """Return the threshold, or three quarters of the window where that is more."""
        return max(self.threshold, (self.window >> 1) + (self.window >> 2))

    def note_ack(self, now_ns: int, rtt_us: int, *, acknowledged: int, next_byte: int, rate: int) -> None:
        """Take in the RTT of the last segment that an acknowledgement covers: slow start may end with it."""
        if self._epoch_start and jiffies(now_ns) - self._epoch_start < HZ:
            return
        rtt_us = max(1, rtt_us)
        self._shortest_us = min(self._shortest_us or rtt_us, rtt_us)
        if self.hystart.ended or not self.in_slow_start:
            return
        if self.hystart.note_ack(
            now_ns // 1000,
            rtt_us,
            shortest_us=self._shortest_us,
            window=self.window,
            acknowledged=acknowledged,
            next_byte=next_byte,
            rate=rate,
        ):
            self.threshold = self.window

    def grow(self, now_ns: int, count: int) -> None:
        """Grow by `count` acknowledged segments."""
        if self.in_slow_start:
            grown = min(self.window + count, self.threshold)
            count -= grown - self.window
            self.window = grown
            if not count:
                return
        self._update(jiffies(now_ns), count)
        if self._credit >= self._acks_a_segment:
            self._credit = 0
            self.window += 1
        self._credit += count
        more, rest = divmod(self._credit, self._acks_a_segment)
        if more:
            self._credit = rest
            self.window += more

    def reduce(self) -> None:
        """Set the threshold as a loss does."""
        self._epoch_start = 0
        below = self.window < self._largest
        self._largest = self.window * (_SCALE + _BETA) // (2 * _SCALE) if below else self.window
        self.threshold = max(self.window * _BETA // _SCALE, 2)

    def forget(self, now_ns: int, next_byte: int) -> None:
        """Begin again, as after a retransmission time-out. Window and threshold stay."""
        self._shortest_us = self._epoch_start = self._acks_a_segment = self._acks = self._largest = 0
        self._last_window = self._last_at = self._origin = self._to_origin = self._friendly = 0
        self.hystart.ended = False
        self.hystart.reset(now_ns // 1000, next_byte)

    def clear_credit(self) -> None:
        self._credit = 0

    def resume_sending(self, idle: int) -> None:
        """Leave out `idle` jiffies in which nothing was sent."""
        if self._epoch_start and idle > 0:
            self._epoch_start += idle

    def _update(self, now: int, count: int) -> None:
        """Set after how many acknowledged segments the window grows by one (bictcp_update)."""
        self._acks += count
        if self._last_window == self.window and now - self._last_at <= HZ // 32:
            return
        if not (self._epoch_start and now == self._last_at):
            self._last_window, self._last_at = self.window, now
            self._follow_curve(now, count)
        self._be_friendly()
        self._acks_a_segment = max(self._acks_a_segment, 2)

    def _follow_curve(self, now: int, count: int) -> None:
        if not self._epoch_start:
            self._epoch_start = now
            self._acks, self._friendly = count, self.window
            below = self._largest > self.window
            self._origin = self._largest if below else self.window
            self._to_origin = _cube_root((1 << 40) // _CUBE * (self._largest - self.window)) if below else 0
        time = ((now - self._epoch_start + from_us(self._shortest_us)) << 10) // HZ
        off = abs(time - self._to_origin)
        delta = _CUBE * off**3 >> 40
        target = self._origin - delta if time < self._to_origin else self._origin + delta
        self._acks_a_segment = self.window // (target - self.window) if target > self.window else 100 * self.window
        if not self._largest:
            self._acks_a_segment = min(self._acks_a_segment, _SLOWEST)

    def _be_friendly(self) -> None:
        """Grow no slower than standard TCP would."""
        step = self.window * _FRIENDLY_SCALE >> 3
        if self._acks > step:
            steps = -(-self._acks // step) - 1
            self._acks -= steps * step
            self._friendly += steps
        if self._friendly > self.window:
            self._acks_a_segment = min(self._acks_a_segment, self.window // (self._friendly - self.window))


def _cube_root(value: int) -> int:
    """Return about the cube root: the kernel's is off by 0.2 per cent."""
    return round(math.cbrt(value))
