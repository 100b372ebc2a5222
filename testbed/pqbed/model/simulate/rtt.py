"""Round-trip time and retransmission time-out of a sender (tcp_rtt_estimator in net/ipv4/tcp_input.c)."""

from dataclasses import dataclass

from pqbed.model.simulate.jiffies import HZ, from_us

RTO_MIN_US = 200_000
RTO_MAX = 120 * HZ
_NEVER_US = 1 << 62


@dataclass(slots=True)
class RttEstimator:
    """Times in us; `smoothed` is eight times the smoothed RTT, 0 before the first sample. `rto` in jiffies."""

    rto: int = HZ
    smoothed: int = 0
    shortest: int = _NEVER_US
    _deviation: int = 0
    _largest: int = 0
    _variance: int = 0
    _round_end: int = 0

    @property
    def srtt_us(self) -> int:
        return self.smoothed >> 3

    def update(self, rtt_us: int, shortest_us: int, acknowledged: int, next_byte: int) -> None:
        """Take in a sample, of the first segment that an acknowledgement covers; `shortest_us` is that of the last."""
        self.shortest = min(self.shortest, shortest_us or 1000)
        if self.smoothed:
            self._smooth(rtt_us, acknowledged, next_byte)
        else:
            self.smoothed = max(1, rtt_us << 3)
            self._deviation = rtt_us << 1
            self._variance = self._largest = max(self._deviation, RTO_MIN_US)
            self._round_end = next_byte
        self.rto = min(from_us(self.srtt_us + self._variance), RTO_MAX)

    def _smooth(self, rtt_us: int, acknowledged: int, next_byte: int) -> None:
        error = rtt_us - self.srtt_us
        self.smoothed = max(1, self.smoothed + error)
        if error < 0:
            error = -error - (self._deviation >> 2)
            error = error >> 3 if error > 0 else error
        else:
            error -= self._deviation >> 2
        self._deviation += error
        if self._deviation > self._largest:
            self._largest = self._deviation
            self._variance = max(self._variance, self._largest)
        if acknowledged > self._round_end:
            if self._largest < self._variance:
                self._variance -= (self._variance - self._largest) >> 2
            self._round_end = next_byte
            self._largest = RTO_MIN_US

    def back_off(self) -> None:
        """Double the time-out until the next sample."""
        self.rto = min(self.rto << 1, RTO_MAX)
