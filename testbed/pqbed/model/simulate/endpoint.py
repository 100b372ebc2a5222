"""One end of the connection: its two halves, and what it puts on its way to the other end."""

from dataclasses import dataclass
from typing import NamedTuple

from pqbed.model.floor import FRAME_OVERHEAD_BYTES, frame_ns
from pqbed.model.simulate.pipe import Pipe
from pqbed.model.simulate.receiver import Receiver
from pqbed.model.simulate.sender import Sender


class Segment(NamedTuple):
    """What arrives: `acknowledged` and `limit` are the sender's as a receiver. No data: an acknowledgement alone."""

    size_bytes: int
    acknowledged: int
    limit: int
    pushed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One flight from its first write to the arrival of its last byte, less the delay of the way.

    `rounds` are the windows it took, `serial_ns` what its frames take at the rate, `waited_ns` all other time: for
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


class End:
    """Sends at the right times; who calls it carries what it returns to the other end: (arrival, segment)."""

    def __init__(self, pipe: Pipe, sender: Sender, receiver: Receiver) -> None:
        self.pipe = pipe
        self.sender = sender
        self.receiver = receiver
        self._log = _Log(start_ns=0, start_byte=0, window=0, held_before=0)

    def begin(self, now_ns: int) -> None:
        """Count from here what belongs to one flight."""
        sender = self.sender
        self._log = _Log(
            start_ns=now_ns,
            start_byte=sender.next_byte,
            window=sender.window,
            held_before=sender.waits_receiver,
        )

    def end(self, now_ns: int) -> Flight:
        """Return the flight whose last byte arrives now."""
        log = self._log
        return Flight(
            payload_bytes=self.sender.next_byte - log.start_byte,
            segments=log.segments,
            rounds=log.rounds,
            serial_ns=log.serial_ns,
            waited_ns=now_ns - self.pipe.delay_ns - log.start_ns - log.serial_ns,
            window=log.window,
            receiver_bound=self.sender.waits_receiver > log.held_before,
        )

    def write(self, now_ns: int, size_bytes: int) -> list[tuple[int, Segment]]:
        self.sender.write(size_bytes)
        return self.release(now_ns)

    def release(self, now_ns: int) -> list[tuple[int, Segment]]:
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

    def acknowledge(self, now_ns: int) -> tuple[int, Segment]:
        """Send an acknowledgement alone."""
        return self._send(now_ns, 0)

    def _send(self, now_ns: int, size_bytes: int) -> tuple[int, Segment]:
        self.receiver.tell()
        arrival_ns = self.pipe.send(now_ns, size_bytes + FRAME_OVERHEAD_BYTES)
        return arrival_ns, Segment(
            size_bytes=size_bytes,
            acknowledged=self.receiver.received,
            limit=self.receiver.limit,
            pushed=0 < size_bytes < self.sender.mss,
        )
