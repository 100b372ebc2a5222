"""What may leave, which timers are set, and what they do."""

from typing import Any

import pytest

from pqbed.model.simulate.acknowledgement import note_ack
from pqbed.model.simulate.segment import SimSegment
from pqbed.model.simulate.sender import SimSender
from pqbed.model.simulate.timeouts import fire_timer

MS = 1_000_000
MSS = 1448
RTT = 40 * MS


class Line:
    """What a sender has sent: (number, end). `held_ns`: how long a segment stays in a queue of its own host."""

    def __init__(self, window: int, held_ns: int = 0) -> None:
        self.sent: list[Any] = []
        self._held_ns = held_ns
        self.sender = SimSender(window=window, mss=MSS, limit=10**9, emit=self._emit)
        self.sender.open(0)
        self.sender.rtt.update(RTT // 1000, RTT // 1000, 0, 0)

    def _emit(self, now_ns: int, number: int, end: int, _pushed: bool) -> int:
        self.sent.append((number, end))
        return now_ns + self._held_ns

    def acknowledge(self, now_ns: int, up_to: int, *, echo_ms: int = 0, duplicate: None = None) -> None:
        segment = SimSegment(0, 0, up_to, 10**9, False, 0, echo_ms, duplicate)
        note_ack(self.sender, now_ns, segment)
        self.sender.release(now_ns)

    def fire(self) -> tuple[str | None, int]:
        now_ns = self.sender.timer_ns
        kind = self.sender.timer
        fire_timer(self.sender, now_ns)
        return kind, now_ns


def test_a_window_in_use_doubles_and_one_that_is_not_stays() -> None:
    full, idle = Line(4), Line(4)
    for line, segments in ((full, 4), (idle, 2)):
        line.sender.write(0, segments * MSS)
        line.acknowledge(RTT, segments * MSS)
    assert (full.sender.window, idle.sender.window) == (8, 4)


def test_after_two_rtts_without_an_acknowledgement_the_last_segment_is_probed_for() -> None:
    line = Line(10)
    line.sender.write(0, 3 * MSS)
    kind, at_ns = line.fire()
    assert kind == "probe"
    assert at_ns == pytest.approx(2 * RTT, abs=9 * MS)
    assert line.sent[3:] == [(2 * MSS, 3 * MSS)]
    assert line.sender.timer == "retransmit"


def test_a_probe_is_new_data_where_there_is_any() -> None:
    line = Line(2)
    line.sender.write(0, 5 * MSS)
    line.fire()
    assert line.sent[2:] == [(2 * MSS, 3 * MSS)]
    assert line.sender.repeated == 0


def test_one_segment_in_flight_is_given_200_ms_more() -> None:
    line = Line(10)
    line.sender.write(0, 100)
    # Two RTTs more would be later than the time-out, which is at 240 ms.
    assert line.sender.timer_ns == pytest.approx(240 * MS, abs=9 * MS)


def test_what_is_still_in_a_queue_of_its_own_host_is_not_sent_again() -> None:
    """But the time-out counts: the window is cut, and the next one comes after twice the time."""
    line = Line(10, held_ns=3_000 * MS)
    line.sender.write(0, 3 * MSS)
    kinds = [line.fire()[0] for _ in range(3)]
    assert kinds == ["probe", "retransmit", "retransmit"]
    assert len(line.sent) == 3
    assert line.sender.repeated == 0
    assert line.sender.window == 1
    assert line.sender.throttled


def test_a_time_out_sends_the_first_segment_again_and_doubles() -> None:
    line = Line(10)
    line.sender.write(0, 3 * MSS)
    line.fire()
    (_, first_ns), (_, second_ns) = line.fire(), line.fire()
    assert line.sent[4:] == [(0, MSS), (0, MSS)]
    # Twice 240 ms and the coarseness of the wheel.
    assert second_ns - first_ns == pytest.approx(480 * MS, abs=9 * MS)
    assert (line.sender.state, line.sender.window) == ("loss", 1)


def test_a_spurious_time_out_is_undone_by_the_echo_of_the_first_sending() -> None:
    line = Line(10)
    line.sender.write(0, 3 * MSS)
    line.fire()
    _, at_ns = line.fire()
    assert line.sender.state == "loss"
    line.acknowledge(at_ns + MS, MSS, echo_ms=0)
    assert (line.sender.state, line.sender.window) == ("open", 10)
    assert line.sender.queue.lost == 0


def test_one_that_was_not_is_not() -> None:
    line = Line(10)
    line.sender.write(0, 3 * MSS)
    line.fire()
    _, at_ns = line.fire()
    line.acknowledge(at_ns + RTT, MSS, echo_ms=at_ns // MS + 1)
    assert line.sender.state != "open"
    assert line.sender.window < 10


def test_short_segments_are_sent_again_together() -> None:
    line = Line(10)
    line.sender.write(0, 80)
    line.sender.write(0, 275)
    line.fire()
    line.fire()
    assert line.sent == [(0, 80), (80, 355), (80, 355), (0, 355)]


def test_a_time_out_s_pause_halves_the_window_once() -> None:
    line = Line(10)
    line.sender.write(0, 10 * MSS)
    line.acknowledge(RTT, 10 * MSS)
    assert line.sender.window == 20
    line.sender.write(RTT + 500 * MS, MSS)
    assert line.sender.window == 10


def test_cubic_leaves_out_the_time_in_which_nothing_was_sent() -> None:
    line = Line(10)
    line.sender.write(0, MSS)
    line.acknowledge(RTT, MSS)
    line.sender.cubic._epoch_start = 1_000
    line.sender.write(RTT + 30 * MS, MSS)
    assert line.sender.cubic._epoch_start == 1_000 + 70
