"""TCP's handshake with its timers: the SYN and the SYN-ACK are sent again after a second (RFC 6298).

A server sends its SYN-ACK again for each SYN too, but at most twice a second; a client's time-outs double after four.
Follows net/ipv4/tcp_timer.c, tcp_minisocks.c and inet_connection_sock.c.
"""

from dataclasses import dataclass

from pqbed.model.frames import SYN_WIRE_BYTES
from pqbed.model.simulate.jiffies import HZ, expiry_ns
from pqbed.model.simulate.link_direction import Pipe

_LINEAR_TIMEOUTS = 4
_RATE_LIMIT_NS = 500_000_000


@dataclass(slots=True, kw_only=True)
class SynSender:
    """What one side sends to open the connection. `arrivals` collects when each copy arrives.

    `timer_ns` is None once the other side has answered. `holds_frames`: a SYN that is still in this host's own queue is
    not sent again; `linear` time-outs do not double.
    """

    pipe: Pipe
    holds_frames: bool
    linear: int
    sent_ns: int = -1
    repeated: int = 0
    timeouts: int = 0
    timer_ns: int | None = None
    _timeout: int = HZ
    _arrival_ns: int = 0
    _limited_until_ns: int = 0

    def send(self, now_ns: int) -> int:
        """Send the first one; return when it arrives."""
        self.sent_ns = now_ns
        self.timer_ns = expiry_ns(now_ns, self._timeout)
        return self._put(now_ns)

    def fire(self, now_ns: int) -> int | None:
        """Let the timer fire; return when the next copy arrives, None where there is none."""
        self.timeouts += 1
        if self.timeouts > self.linear:
            self._timeout <<= 1
        self.timer_ns = expiry_ns(now_ns, self._timeout)
        return None if self.holds_frames and self._arrival_ns > now_ns else self._again(now_ns)

    def answer_again(self, now_ns: int) -> int | None:
        """Answer one more SYN; return when the answer arrives, None where too many came."""
        if now_ns < self._limited_until_ns:
            return None
        self._limited_until_ns = now_ns + _RATE_LIMIT_NS
        self.timer_ns = expiry_ns(now_ns, self._timeout)
        return self._again(now_ns)

    def _again(self, now_ns: int) -> int:
        self.repeated += 1
        return self._put(now_ns)

    def _put(self, now_ns: int) -> int:
        self._arrival_ns = self.pipe.send(now_ns, SYN_WIRE_BYTES)
        return self._arrival_ns


def client_syn(pipe: Pipe, *, holds_frames: bool) -> SynSender:
    return SynSender(pipe=pipe, holds_frames=holds_frames, linear=_LINEAR_TIMEOUTS)


def server_syn(pipe: Pipe) -> SynSender:
    """Return the server's; the kernel keeps no copy of a SYN-ACK that it could find in a queue."""
    return SynSender(pipe=pipe, holds_frames=False, linear=0)
