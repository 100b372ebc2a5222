"""One endpoint of the connection: its sending and receiving half, and the direction of the link that it sends on."""

from dataclasses import dataclass
from typing import NamedTuple

from pqbed.model.frames import FRAME_OVERHEAD_BYTES, frame_ns
from pqbed.model.simulate.pipe import Pipe
from pqbed.model.simulate.receiver import SimReceiver
from pqbed.model.simulate.sender import SimSender


class SimSegment(NamedTuple):
    """A segment that arrives; without data it is an acknowledgement alone.

    `acknowledged` and `limit` are what its sender has received, and the first byte it has no room for.
    """

    size_bytes: int
    acknowledged: int
    limit: int
    pushed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFlight:
    """One flight from its first write to the arrival of its last byte, without the propagation delay.

    `rounds` are the windows it took, `serial_ns` the time of its frames at the rate, `waited_ns` all other time: for
    acknowledgements, or behind other frames. `window` is the congestion window it began with, in segments.
    """

    payload_bytes: int
    segments: int
    rounds: int
    serial_ns: int
    waited_ns: int
    window: int
    receiver_bound: bool


@dataclass(slots=True, kw_only=True)
class _Log:
    start_ns: int
    start_byte: int
    window: int
    held_before: int
    segments: int = 0
    serial_ns: int = 0
    rounds: int = 0
    round_start: int = -1


class SimEndpoint:
    """Returns what it sends, as (arrival, segment); the caller delivers it to the other end."""

    def __init__(self, pipe: Pipe, sender: SimSender, receiver: SimReceiver) -> None:
        self.pipe = pipe
        self.sender = sender
        self.receiver = receiver
        self._log = _Log(start_ns=0, start_byte=0, window=0, held_before=0)

    def begin_flight(self, now_ns: int) -> None:
        """Start counting a flight here."""
        sender = self.sender
        self._log = _Log(
            start_ns=now_ns,
            start_byte=sender.next_byte,
            window=sender.window,
            held_before=sender.receiver_waits,
        )

    def end_flight(self, now_ns: int) -> ExpectedFlight:
        """Return the flight whose last byte arrives now."""
        log = self._log
        return ExpectedFlight(
            payload_bytes=self.sender.next_byte - log.start_byte,
            segments=log.segments,
            rounds=log.rounds,
            serial_ns=log.serial_ns,
            waited_ns=now_ns - self.pipe.delay_ns - log.start_ns - log.serial_ns,
            window=log.window,
            receiver_bound=self.sender.receiver_waits > log.held_before,
        )

    def write(self, now_ns: int, size_bytes: int) -> list[tuple[int, SimSegment]]:
        self.sender.write(size_bytes)
        return self.release(now_ns)

    def release(self, now_ns: int) -> list[tuple[int, SimSegment]]:
        """Send what may leave."""
        first = self.sender.next_byte
        leaving = self.sender.release(now_ns)
        if not leaving:
            return []
        log = self._log
        if self.sender.acknowledged > log.round_start:  # something of this round let these go: they are of the next
            log.rounds += 1
            log.round_start = first
        log.segments += len(leaving)
        log.serial_ns += sum(frame_ns(size + FRAME_OVERHEAD_BYTES, self.pipe.rate_bps) for size in leaving)
        if self.receiver.received:
            self.receiver.conversing = True
        return [self._send(now_ns, size) for size in leaving]

    def acknowledge(self, now_ns: int) -> tuple[int, SimSegment]:
        """Send an acknowledgement alone."""
        return self._send(now_ns, 0)

    def _send(self, now_ns: int, size_bytes: int) -> tuple[int, SimSegment]:
        self.receiver.note_ack_sent()
        arrival_ns = self.pipe.send(now_ns, size_bytes + FRAME_OVERHEAD_BYTES)
        return arrival_ns, SimSegment(
            size_bytes=size_bytes,
            acknowledged=self.receiver.received,
            limit=self.receiver.limit,
            pushed=0 < size_bytes < self.sender.mss,
        )
