"""One endpoint of the connection: its sending and receiving half, and the direction of the link that it sends on."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from pqbed.model.frames import FRAME_OVERHEAD_BYTES, frame_ns
from pqbed.model.simulate.acknowledgement import note_ack
from pqbed.model.simulate.jiffies import stamp_ms
from pqbed.model.simulate.link_direction import Pipe
from pqbed.model.simulate.receive_window import ReceiveWindow
from pqbed.model.simulate.receiver import SimReceiver
from pqbed.model.simulate.recovery import repeat_lost
from pqbed.model.simulate.segment import SimSegment
from pqbed.model.simulate.sender import SimSender
from pqbed.model.simulate.timeouts import fire_timer

# What a D-SACK adds to the TCP header.
DUPLICATE_OPTION_BYTES = 12


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


NO_FLIGHT = ExpectedFlight(
    payload_bytes=0, segments=0, rounds=0, serial_ns=0, waited_ns=0, window=0, receiver_bound=False
)


@dataclass(slots=True, kw_only=True)
class _Log:
    start_ns: int = 0
    start_byte: int = 0
    end_byte: int = 0
    window: int = 0
    held_before: int = 0
    segments: int = 0
    serial_ns: int = 0
    rounds: int = 0
    round_start: int = -1


class SimEndpoint:
    """Puts what it sends into `outbox`, as (arrival, segment); the caller delivers it to the other end.

    `sent` lists the payload of every packet after the SYN: the number of its first byte, and its bytes.

    `holds_frames`: what is on its way is in a queue of this host until it arrives, as with netem at the ends.
    `records` are the ends of the TLS records that it receives.
    """

    def __init__(
        self,
        pipe: Pipe,
        *,
        mss: int,
        window: int,
        offered: int,
        limit: int,
        holds_frames: bool,
        records: tuple[int, ...],
    ) -> None:
        self.pipe = pipe
        self.sender = SimSender(window=window, mss=mss, limit=limit, emit=self._emit)
        room = ReceiveWindow(mss=mss, offered=offered, records=records)
        self.receiver = SimReceiver(window=room, rtt=self.sender.rtt)
        self.outbox: list[tuple[int, SimSegment]] = []
        self.sent: list[tuple[int, int]] = []
        self._holds_frames = holds_frames
        self._unwritten: deque[int] = deque()
        self._woken = False
        self._logs: deque[_Log] = deque()
        self._written = 0

    def open(self, now_ns: int, stamp: int) -> None:
        """Note that the connection is established; `stamp` is that of the SYN that came."""
        self.sender.open(now_ns)
        self.receiver.open(now_ns, stamp)

    def begin_flight(self, now_ns: int, size_bytes: int) -> None:
        """Start counting a flight of `size_bytes` that is written from here on; those before it may be on their way."""
        sender = self.sender
        log = _Log(
            start_ns=now_ns,
            start_byte=self._written,
            end_byte=self._written + size_bytes,
            window=sender.window,
            held_before=sender.receiver_waits,
        )
        self._logs.append(log)

    def end_flight(self, now_ns: int) -> ExpectedFlight:
        """Return the first flight that was not ended, whose last byte arrives now."""
        log, sender = self._logs.popleft(), self.sender
        return ExpectedFlight(
            payload_bytes=log.end_byte - log.start_byte,
            segments=log.segments,
            rounds=log.rounds,
            serial_ns=log.serial_ns,
            waited_ns=now_ns - self.pipe.delay_ns - log.start_ns - log.serial_ns,
            window=log.window,
            receiver_bound=sender.receiver_waits > log.held_before,
        )

    def wake(self) -> bool:
        """Tell whether writes that found no room may go on now."""
        return bool(self._unwritten) and self.sender.wake()

    def write(self, now_ns: int, sizes: Iterable[int] = ()) -> None:
        """Write these after what found no room before, until there is none."""
        new = tuple(sizes)
        self._written += sum(new)
        self._unwritten.extend(new)
        while self._unwritten:
            taken = self.sender.write(now_ns, self._unwritten[0])
            self._run_woken(now_ns)
            self._unwritten[0] -= taken
            if self._unwritten[0]:
                break
            self._unwritten.popleft()

    def arrive(self, now_ns: int, segment: SimSegment) -> bool:
        """Take in a segment, and answer as the kernel does; return whether there is something new to read."""
        receiver, window = self.receiver, self.receiver.window
        new = segment.size_bytes > 0 and segment.number == window.received
        if segment.size_bytes and segment.end < window.acknowledged:
            receiver.repeat(segment.number, segment.end)
            self.acknowledge(now_ns)
            return False
        receiver.note_stamp(segment.number, segment.stamp_ms)
        note_ack(self.sender, now_ns, segment)
        if new:
            receiver.receive(now_ns, segment.size_bytes, segment.echo_ms, pushed=segment.pushed)
        elif segment.size_bytes:
            receiver.repeat(segment.number, segment.end)
        else:
            window.note_acknowledgement(segment.echo_ms)
        self.sender.release(now_ns)
        if receiver.pending and segment.size_bytes and (receiver.is_due() or receiver.delay(now_ns)):
            self.acknowledge(now_ns)
        self._run_woken(now_ns)
        return new

    def read(self, now_ns: int) -> None:
        """Read all that came."""
        if self.receiver.is_due_after_read():
            self.acknowledge(now_ns)

    def fire(self, now_ns: int) -> None:
        """Let the sender's timer fire."""
        fire_timer(self.sender, now_ns)
        self._run_woken(now_ns)

    def fire_delayed(self, now_ns: int) -> None:
        """Let the timer of the delayed acknowledgement fire."""
        if self.receiver.note_timer():
            self.acknowledge(now_ns)

    def acknowledge(self, now_ns: int) -> None:
        """Send an acknowledgement alone."""
        self._send(now_ns, self.sender.next_byte, self.sender.next_byte, pushed=False)

    def _emit(self, now_ns: int, number: int, end: int, pushed: bool) -> int:
        sender = self.sender
        if number == sender.next_byte and (log := self._log_of(number)):
            if sender.acknowledged > log.round_start:  # something of this round let it go: it is of the next
                log.rounds += 1
                log.round_start = number
            log.segments += 1
            log.serial_ns += frame_ns(end - number + FRAME_OVERHEAD_BYTES, self.pipe.rate_bps)
        arrival_ns = self._send(now_ns, number, end, pushed=pushed)
        self.receiver.note_data_sent(now_ns)
        if not self._holds_frames:
            return now_ns
        self._woken |= sender.throttled
        sender.throttled = False
        return arrival_ns

    def _log_of(self, number: int) -> _Log | None:
        """Return the flight that a byte belongs to, None for what is of no flight: a ticket."""
        return next((log for log in self._logs if log.start_byte <= number < log.end_byte), None)

    def _send(self, now_ns: int, number: int, end: int, *, pushed: bool) -> int:
        receiver = self.receiver
        duplicate = receiver.duplicate
        receiver.note_ack_sent()
        size_bytes = end - number
        option_bytes = 0 if duplicate is None else DUPLICATE_OPTION_BYTES
        arrival_ns = self.pipe.send(now_ns, size_bytes + FRAME_OVERHEAD_BYTES + option_bytes)
        segment = SimSegment(
            number=number,
            size_bytes=size_bytes,
            acknowledged=receiver.window.received,
            limit=receiver.window.limit,
            pushed=pushed,
            stamp_ms=stamp_ms(now_ns),
            echo_ms=receiver.echo_ms,
            duplicate=duplicate,
        )
        self.outbox.append((arrival_ns, segment))
        self.sent.append((number, size_bytes))
        return arrival_ns

    def _run_woken(self, now_ns: int) -> None:
        """Send what a segment that was held back in this host's queue kept waiting (tcp_tsq_write)."""
        while self._woken:
            self._woken = False
            queue = self.sender.queue
            if queue.lost > queue.resent and self.sender.window > queue.in_flight:
                repeat_lost(self.sender, now_ns)
            self.sender.release(now_ns)
