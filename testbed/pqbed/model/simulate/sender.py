"""The sending half of an endpoint: what may leave, and the timers that send again (net/ipv4/tcp_output.c, tcp_timer.c).

The window grows by each segment acknowledged, but only while it was in use (tcp_cwnd_validate), so a flight of less
than half the window leaves it as it was. A segment that is still in a queue of its own host is not sent again.
"""

from collections.abc import Callable
from typing import Literal

from pqbed.model.simulate.cubic import Cubic
from pqbed.model.simulate.jiffies import HZ, JIFFY_NS, expiry_ns, from_us, jiffies
from pqbed.model.simulate.retransmit_queue import RetransmitQueue
from pqbed.model.simulate.rtt import RTO_MIN_US, RttEstimator
from pqbed.model.simulate.segment import Unacknowledged
from pqbed.model.simulate.send_buffer import SendBuffer

Timer = Literal["retransmit", "probe", "reorder"]
State = Literal["open", "disorder", "reduced", "recovery", "loss"]
# Hands a segment to the link (now, number, end, pushed); returns until when it is in a queue of its own host.
Emit = Callable[[int, int, int, bool], int]

_PROBE_SLACK_US = 2_000
_REORDER_SLACK_US = 2_000


class SimSender:
    """`limit` is the first byte that the receiver has no room for. Numbers of bytes are as in the stream.

    `timer_ns` is when the timer that is set fires. `receiver_waits` counts the times that the receiver's window, not
    the congestion window, held something back.
    """

    def __init__(self, *, window: int, mss: int, limit: int, emit: Emit) -> None:
        self.mss, self.limit = mss, limit
        self.cubic = Cubic(window)
        self.rtt = RttEstimator()
        self.queue = RetransmitQueue()
        self.buffer = SendBuffer(mss=mss, largest_window=limit)
        self.buffer.expand(window)
        self.state: State = "open"
        self.next_byte = self.acknowledged = 0
        self.receiver_waits = self.repeated = 0
        self.window_number = -1
        self.timer: Timer | None = None
        self.timer_ns = 0
        self.throttled = False
        # Of recovery.py.
        self.high_byte = 0
        self.probe_end = 0
        self.probe_repeats = False
        self.timeouts = 0
        self.first_repeat_ms = 0
        self.undo_from: int | None = None
        self.undo_repeats = 0
        self.forward = False
        self.prior_window = self.prior_threshold = 0
        self.reduction_delivered = self.reduction_sent = 0
        self.pacing_rate = 0
        self._initial_window = window
        self._emit = emit
        self._limited = False
        self._most_out = self._usage_end = self._window_used = 0
        self._window_used_at = self._last_sent = 0

    @property
    def window(self) -> int:
        return self.cubic.window

    @property
    def reducing(self) -> bool:
        return self.state in ("reduced", "recovery")

    @property
    def has_waiting(self) -> bool:
        return bool(self.buffer.waiting)

    def open(self, now_ns: int) -> None:
        """Note that the connection is established."""
        self._window_used_at = self._last_sent = jiffies(now_ns)

    def write(self, now_ns: int, size_bytes: int) -> int:
        """Take in as much of a write as there is room for and send what may leave; return how much was taken."""
        if not self.has_waiting:
            self._restart_after_idle(now_ns)
        taken = self.buffer.accept(size_bytes)
        self.release(now_ns)
        return taken

    def wake(self) -> bool:
        """Tell whether a program that found no room may write on (tcp_new_space)."""
        if not self.buffer.full:
            return False
        if self.queue.in_flight < self.window:
            self.buffer.expand(self.window)
        return self.buffer.wake()

    def release(self, now_ns: int, *, probe: bool = False) -> int:
        """Send what may leave, or (`probe`) one segment whatever the congestion window; return how many went."""
        waiting = self.buffer.waiting
        if not waiting:
            return 0
        sent = 0
        blocked = False
        while waiting and (self.queue.in_flight < self.window or probe):
            if self.next_byte + waiting[0].size_bytes > self.limit:
                blocked = True
                break
            segment = waiting.popleft()
            self._send_new(now_ns, segment.size_bytes, pushed=segment.pushed)
            sent += 1
            if probe:
                break
        limited = self.queue.in_flight >= self.window
        if sent or limited:
            self._note_use(now_ns, limited)
        self.receiver_waits += blocked and not limited
        if sent and self.reducing:
            self.reduction_sent += sent
        if sent and not probe:
            self.schedule_probe(now_ns, advancing=False)
        return sent

    def repeat(self, now_ns: int, segment: Unacknowledged) -> bool:
        """Send `segment` again; return False where it is still in a queue of its own host."""
        if segment.in_host_until_ns > now_ns:
            self.throttled = True
            return False
        segment.number = max(segment.number, self.acknowledged)
        self.queue.merge(segment, now_ns, min(self.mss, self.limit - segment.number))
        self._note_sending(now_ns)
        segment.in_host_until_ns = self._emit(now_ns, segment.number, segment.end, segment.pushed)
        segment.sent_ns = now_ns
        segment.repeated = True
        self.repeated += 1
        return True

    def set_timer(self, now_ns: int, timer: Timer, timeout: int) -> None:
        self.timer, self.timer_ns = timer, expiry_ns(now_ns, timeout)

    def rearm(self, now_ns: int) -> None:
        """Set the retransmission timer; what a probe's or a reordering's timer has used up is taken off."""
        if not self.queue:
            self.timer = None
            return
        timeout = self.rtt.rto
        if self.timer in ("probe", "reorder"):
            timeout = from_us(max(1, self._until_rto_us(now_ns)))
        self.set_timer(now_ns, "retransmit", timeout)

    def schedule_probe(self, now_ns: int, *, advancing: bool) -> bool:
        """Set the timer of a tail loss probe (RFC 8985): two RTTs, but no later than the time-out would fire."""
        if self.state not in ("open", "reduced"):
            return False
        if self.rtt.smoothed:
            slack_us = RTO_MIN_US if len(self.queue) == 1 else _PROBE_SLACK_US
            timeout = from_us((self.rtt.smoothed >> 2) + slack_us)
        else:
            timeout = HZ
        until_rto_us = self.rtt.rto * (JIFFY_NS // 1000) if advancing else self._until_rto_us(now_ns)
        if until_rto_us > 0:
            timeout = min(timeout, from_us(until_rto_us))
        self.set_timer(now_ns, "probe", timeout)
        return True

    def schedule_look_back(self, now_ns: int, again_us: int) -> None:
        """Set the timer that looks again for segments that were overtaken."""
        timeout = min(from_us(again_us + _REORDER_SLACK_US), self.rtt.rto)
        self.set_timer(now_ns, "reorder", timeout)

    def is_window_used(self) -> bool:
        """Tell whether the congestion window was what held the sender back."""
        return self._limited or (self.cubic.in_slow_start and self.window < 2 * self._most_out)

    def _until_rto_us(self, now_ns: int) -> int:
        return self.queue.head.sent_ns // 1000 + self.rtt.rto * (JIFFY_NS // 1000) - now_ns // 1000

    def _send_new(self, now_ns: int, size: int, *, pushed: bool) -> None:
        self._note_sending(now_ns)
        end = self.next_byte + size
        in_host_until_ns = self._emit(now_ns, self.next_byte, end, pushed)
        first = not self.queue
        self.queue.segments.append(Unacknowledged(self.next_byte, end, pushed, now_ns, in_host_until_ns))
        self.next_byte = end
        if first or self.timer == "probe":
            self.rearm(now_ns)

    def _note_sending(self, now_ns: int) -> None:
        now = jiffies(now_ns)
        if self.queue.in_flight == 0:
            self.cubic.resume_sending(now - self._last_sent)
        self._last_sent = now

    def _restart_after_idle(self, now_ns: int) -> None:
        """Halve the window for each time-out for which nothing was sent (tcp_cwnd_restart)."""
        idle = jiffies(now_ns) - self._last_sent
        if self.queue or idle <= self.rtt.rto:
            return
        self.cubic.threshold = self.cubic.present_threshold
        least = min(self._initial_window, self.window)
        while (idle := idle - self.rtt.rto) > 0 and self.window > least:
            self.cubic.window >>= 1
        self.cubic.window = max(self.window, least)
        self._window_used, self._window_used_at = 0, jiffies(now_ns)

    def _note_use(self, now_ns: int, limited: bool) -> None:
        out = len(self.queue)
        if self.acknowledged >= self._usage_end or limited or (not self._limited and out > self._most_out):
            self._limited, self._most_out, self._usage_end = limited, out, self.next_byte
        now = jiffies(now_ns)
        if self.is_window_used():
            self._window_used, self._window_used_at = 0, now
            return
        self._window_used = max(self._window_used, out)
        if now - self._window_used_at >= self.rtt.rto:
            self._shrink_unused(now)

    def _shrink_unused(self, now: int) -> None:
        """Give up half of what was not used of the window for a time-out (tcp_cwnd_application_limited)."""
        if self.state == "open":
            used = max(self._window_used, self._initial_window)
            if used < self.window:
                self.cubic.threshold = self.cubic.present_threshold
                self.cubic.window = (self.window + used) >> 1
            self._window_used = 0
        self._window_used_at = now

    def note_growth(self, now_ns: int) -> None:
        """Note that the window has changed."""
        self._window_used_at = jiffies(now_ns)
