"""The receiving half of an endpoint: when it acknowledges (net/ipv4/tcp_input.c, tcp_output.c, tcp_timer.c).

The first segments are acknowledged one by one (TCP_MAX_QUICKACKS), later ones when more than a segment is due, when a
read empties the buffer, or after a delay. An end that has answered with data waits to answer with data again.
"""

from dataclasses import dataclass

from pqbed.model.simulate.jiffies import expiry_ns, from_us, jiffies
from pqbed.model.simulate.receive_window import ReceiveWindow
from pqbed.model.simulate.rtt import RttEstimator

QUICK_ACKS = 16
DELAY_MIN, DELAY_MAX = 40, 200


@dataclass(slots=True, kw_only=True)
class SimReceiver:
    """`conversing`: this end answered at once with data (pingpong mode). `pending`: something is to be acknowledged.

    `rtt` is that of the same end's sender. Delays in jiffies.
    """

    window: ReceiveWindow
    rtt: RttEstimator
    conversing: bool = False
    pending: bool = False
    duplicate: tuple[int, int] | None = None
    delay_ns: int | None = None
    _quick: int = 0
    _delay: int = 0
    _last_came: int = 0
    _pushed: int = 0
    _due: int = 0
    _recent_ms: int = 0

    @property
    def echo_ms(self) -> int:
        return self._recent_ms

    def open(self, now_ns: int, stamp_ms: int) -> None:
        """Note that the connection is established; `stamp_ms` is that of the SYN that came."""
        self._last_came, self._recent_ms = jiffies(now_ns), stamp_ms
        self.window.open(now_ns)

    def note_stamp(self, number: int, stamp_ms: int) -> None:
        """Remember the time stamp of what is next to be acknowledged."""
        if number <= self.window.acknowledged:
            self._recent_ms = max(self._recent_ms, stamp_ms)

    def receive(self, now_ns: int, size_bytes: int, echo_ms: int, *, pushed: bool) -> None:
        """Take in a segment in sequence."""
        full = self.window.full
        grown = self.window.receive(now_ns, size_bytes, echo_ms)
        self.pending = True
        if pushed or size_bytes < full:
            self._pushed += 1 if size_bytes < full else self._pushed == 0
        self._adapt_delay(jiffies(now_ns))
        if grown:
            self._quick |= 1

    def repeat(self, number: int, end: int) -> None:
        """Take in a segment that came before."""
        self.duplicate = (number, end)
        self._hurry()
        self.conversing = False
        self._delay = DELAY_MIN
        self.pending = True

    def is_due(self) -> bool:
        """Tell whether what came is acknowledged at once (__tcp_ack_snd_check)."""
        window = self.window
        many = window.received - window.acknowledged > window.full
        if many and window.is_crowded:
            self._quick = 0
        return (many and window.select() >= window.offered) or (self._quick > 0 and not self.conversing)

    def is_due_after_read(self) -> bool:
        """Read all that waits; tell whether it is acknowledged now (tcp_cleanup_rbuf)."""
        window = self.window
        had_unread = window.unread > 0
        window.read()
        if not had_unread:
            return False
        if self.pending:
            if window.received - window.acknowledged > window.full:
                return True
            if self._pushed > 1 or (self._pushed and not self.conversing):
                return True
        return window.is_half_used and 0 < 2 * window.present <= window.select()

    def delay(self, now_ns: int) -> bool:
        """Set the timer of the delayed acknowledgement; return whether it is so near that it is sent at once."""
        delay = min(self._delay, DELAY_MAX)
        if delay > DELAY_MIN and self.rtt.smoothed:
            delay = min(delay, max(from_us(self.rtt.srtt_us), DELAY_MIN))
        now = jiffies(now_ns)
        if self.delay_ns is not None and self._due <= now + (delay >> 2):
            return True
        if self.delay_ns is None or now + delay < self._due:
            self._due = now + delay
            self.delay_ns = expiry_ns(now_ns, delay)
        return False

    def note_timer(self) -> bool:
        """Note that the timer fired; return whether an acknowledgement is sent."""
        self.delay_ns = None
        if not self.pending:
            return False
        if self.conversing:
            self.conversing, self._delay = False, DELAY_MIN
        else:
            self._delay = min(self._delay << 1, self.rtt.rto, DELAY_MAX)
        return True

    def note_data_sent(self, now_ns: int) -> None:
        """Note that data was sent: an answer, if it follows soon on what came."""
        if jiffies(now_ns) - self._last_came < self._delay:
            self.conversing = True

    def note_ack_sent(self) -> None:
        """Note that everything received is acknowledged, by a data segment or by an acknowledgement alone."""
        if self.window.is_crowded:
            self._quick = 0
        if self._quick:
            used = 1 if self.pending else 0
            if used >= self._quick:
                self._quick, self._delay = 0, DELAY_MIN
            else:
                self._quick -= used
        self.pending = False
        self._pushed = 0
        self.delay_ns = None
        self.duplicate = None
        self.window.offer()

    def _hurry(self) -> None:
        self._quick = max(self._quick, min(self.window.offered // (2 * self.window.full) or 2, QUICK_ACKS))

    def _adapt_delay(self, now: int) -> None:
        """Follow the time between segments (tcp_event_data_recv)."""
        since = now - self._last_came
        if not self._delay:
            self._hurry()
            self._delay = DELAY_MIN
        elif since <= DELAY_MIN // 2:
            self._delay = (self._delay >> 1) + DELAY_MIN // 2
        elif since < self._delay:
            self._delay = min((self._delay >> 1) + since, self.rtt.rto, DELAY_MAX)
        elif since > self.rtt.rto:
            self._hurry()
        self._last_came = now
