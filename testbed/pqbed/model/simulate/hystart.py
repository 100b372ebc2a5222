"""HyStart: when CUBIC leaves slow start without a loss (net/ipv4/tcp_cubic.c).

Either acknowledgements go on for half an RTT, or the shortest RTT of a round is well above the shortest of all.
"""

LOW_WINDOW = 16
MIN_SAMPLES = 8
ACK_DELTA_NS = 2_000_000
# The kernel adds what pacing might have delayed, at most this much, which at any rate of ours it is.
PACING_NS = 1_000_000
DELAY_NS = (4_000_000, 16_000_000)

_NEVER = 1 << 62


class HyStart:
    """The state of one sender. Numbers of bytes are as in the stream."""

    def __init__(self) -> None:
        self.ended = False
        self._shortest_ns = _NEVER
        self._end = -1
        self._round_start_ns = self._last_ack_ns = 0
        self._current_ns = _NEVER
        self._samples = 0

    def note_ack(self, now_ns: int, rtt_ns: int, window: int, acknowledged: int, next_byte: int) -> bool:
        """Take in one acknowledgement; return whether slow start ends with it."""
        self._shortest_ns = min(self._shortest_ns, rtt_ns)
        if self.ended or window < LOW_WINDOW:
            return False
        if acknowledged > self._end:
            self._round_start_ns = self._last_ack_ns = now_ns
            self._end, self._current_ns, self._samples = next_byte, _NEVER, 0
        self.ended = self._is_long_train(now_ns) or self._is_delayed(rtt_ns)
        return self.ended

    def _is_long_train(self, now_ns: int) -> bool:
        if now_ns - self._last_ack_ns > ACK_DELTA_NS:
            return False
        self._last_ack_ns = now_ns
        return now_ns - self._round_start_ns > (self._shortest_ns + PACING_NS) // 2

    def _is_delayed(self, rtt_ns: int) -> bool:
        self._current_ns = min(self._current_ns, rtt_ns)
        if self._samples < MIN_SAMPLES:
            self._samples += 1
            return False
        least, most = DELAY_NS
        return self._current_ns > self._shortest_ns + min(max(self._shortest_ns >> 3, least), most)
