"""HyStart: when CUBIC leaves slow start without a loss (net/ipv4/tcp_cubic.c).

Either acknowledgements go on for half an RTT, or the shortest RTT of a round is well above the shortest of all.
"""

LOW_WINDOW = 16
MIN_SAMPLES = 8
ACK_DELTA_US = 2_000
# What pacing might have delayed: four super-packets of the largest size, at most this long.
PACED_BYTES, PACING_US = 4 * 65_536, 1_000
DELAY_US = (4_000, 16_000)

_NEVER = 1 << 62


class HyStart:
    """The state of one sender. Times in us; numbers of bytes are as in the stream."""

    def __init__(self) -> None:
        self.ended = False
        self._end = -1
        self.reset(0, -1)

    def reset(self, now_us: int, next_byte: int) -> None:
        """Begin a round that ends with the acknowledgement of what is sent by now."""
        self._round_start_us = self._last_ack_us = now_us
        self._end, self._current_us, self._samples = next_byte, _NEVER, 0

    def note_ack(
        self, now_us: int, rtt_us: int, *, shortest_us: int, window: int, acknowledged: int, next_byte: int, rate: int
    ) -> bool:
        """Take in one acknowledgement; return whether slow start ends with it. `rate`: that of pacing, bytes/s."""
        if acknowledged > self._end:
            self.reset(now_us, next_byte)
        if window < LOW_WINDOW:
            return False
        long = self._is_long_train(now_us, shortest_us, rate)
        delayed = self._is_delayed(rtt_us, shortest_us)
        self.ended = long or delayed
        return self.ended

    def _is_long_train(self, now_us: int, shortest_us: int, rate: int) -> bool:
        if now_us - self._last_ack_us > ACK_DELTA_US:
            return False
        self._last_ack_us = now_us
        paced_us = min(PACING_US, PACED_BYTES * 1_000_000 // rate) if rate else 0
        return now_us - self._round_start_us > (shortest_us + paced_us) >> 1

    def _is_delayed(self, rtt_us: int, shortest_us: int) -> bool:
        self._current_us = min(self._current_us, rtt_us)
        if self._samples < MIN_SAMPLES:
            self._samples += 1
            return False
        least, most = DELAY_US
        return self._current_us > shortest_us + min(max(shortest_us >> 3, least), most)
