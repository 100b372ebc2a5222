"""A sender in recovery: how fast its window shrinks, what it remembers, and what is marked lost. Exact values."""

from typing import Any

import pytest

from pqbed.model.simulate.cubic import Cubic
from pqbed.model.simulate.recovery import (
    Ack,
    _undo_partly,
    begin_reduction,
    begin_undo,
    end_reduction,
    keep_open,
    reduce_window,
    repeat_lost,
)
from pqbed.model.simulate.retransmit_queue import RetransmitQueue
from pqbed.model.simulate.segment import SimSegment, Unacknowledged
from pqbed.model.simulate.sender import SimSender

MS = 1_000_000
MSS = 1448


def sender(window: int = 20, segments: int = 0) -> SimSender:
    made = SimSender(window=window, mss=MSS, limit=10**9, emit=lambda now_ns, *_: now_ns)
    made.open(0)
    for number in range(segments):
        made.queue.segments.append(segment(number))
    return made


def segment(number: int, sent_ns: int = 0, **marks: Any) -> Unacknowledged:
    made = Unacknowledged(number * MSS, (number + 1) * MSS, True, sent_ns, sent_ns)
    for name, value in marks.items():
        setattr(made, name, value)
    return made


def acknowledgement(echo_ms: int) -> SimSegment:
    return SimSegment(0, 0, MSS, 10**9, False, 0, echo_ms, None)


@pytest.mark.parametrize(
    ("resent", "probe_end", "probe_repeats", "repeats"),
    [(0, 0, False, -1), (2, 0, False, 2), (0, 9, True, 1), (2, 9, True, 3), (2, 0, True, 2), (2, 9, False, 2)],
)
def test_what_was_sent_again_is_counted_before_a_recovery(
    resent: int, probe_end: int, probe_repeats: bool, repeats: int
) -> None:
    made = sender()
    made.queue.resent, made.probe_end, made.probe_repeats = resent, probe_end, probe_repeats
    made.acknowledged = 5 * MSS
    begin_undo(made)
    assert (made.undo_from, made.undo_repeats) == (5 * MSS, repeats)


def test_a_reduction_remembers_the_window_and_takes_three_tenths_of_it() -> None:
    made = sender(window=100)
    made.next_byte = 77 * MSS
    begin_reduction(made)
    assert (made.high_byte, made.prior_window, made.cubic.threshold, made.window) == (77 * MSS, 100, 70, 100)
    made.state = "reduced"
    end_reduction(made)
    assert made.window == 70


@pytest.mark.parametrize(
    ("in_flight", "delivered", "advanced", "newly_lost", "window"),
    [
        # Above the threshold of 7, seven tenths of what is delivered, rounded up (PRR).
        (9, 1, True, 0, 9 + 1),
        (9, 2, True, 0, 9 + 2),
        (9, 3, True, 0, 9 + 3),
        (9, 4, True, 0, 9 + 3),
        # At or below it, what is delivered, and one more if that is in order and nothing new is lost (slow start).
        (4, 1, True, 0, 4 + 2),
        (4, 1, True, 2, 4 + 1),
        (4, 1, False, 0, 4 + 1),
        (4, 5, True, 0, 4 + 3),
        (7, 3, True, 0, 7 + 1),
        (7, 0, True, 0, 10),
    ],
)
def test_the_window_shrinks_at_the_pace_of_what_is_delivered(
    in_flight: int, delivered: int, advanced: bool, newly_lost: int, window: int
) -> None:
    made = sender(window=10, segments=in_flight)
    begin_reduction(made)
    assert made.cubic.threshold == 7
    reduce_window(made, Ack(advanced=advanced, informs=True, delivered=delivered, newly_lost=newly_lost))
    assert made.window == window


def test_at_least_one_is_sent_at_first_and_none_has_to_be_later() -> None:
    made = sender(window=10, segments=30)
    begin_reduction(made)
    made.reduction_sent = 30
    reduce_window(made, Ack(advanced=True, informs=True, delivered=1))
    assert made.window == 30


def late_recovery(*, resent: int = 0, echo_ms: int = 5) -> tuple[SimSender, bool]:
    made = sender(window=20, segments=3)
    begin_undo(made)
    begin_reduction(made)
    made.prior_threshold = 50
    made.state, made.first_repeat_ms = "recovery", 10
    made.queue.mark_lost(made.queue.head)
    made.queue.resent = resent
    return made, _undo_partly(made, 100 * MS, acknowledgement(echo_ms))


def test_a_recovery_whose_segment_was_late_is_undone_and_late_ones_are_expected_from_then_on() -> None:
    made, goes_on = late_recovery()
    assert (goes_on, made.queue.reordering_seen, made.first_repeat_ms, made.state) == (False, True, 0, "open")
    assert made.window == 20
    assert (made.queue.lost, [each.lost for each in made.queue]) == (0, [False] * 3)


def test_it_goes_on_while_others_of_it_are_in_flight() -> None:
    made, goes_on = late_recovery(resent=1)
    assert (goes_on, made.queue.reordering_seen, made.first_repeat_ms) == (True, True, 10)


def test_what_was_sent_after_the_repetition_undoes_nothing() -> None:
    made, goes_on = late_recovery(echo_ms=10)
    assert (goes_on, made.queue.reordering_seen, made.state) == (False, False, "recovery")


@pytest.mark.parametrize(("lost", "resent", "state"), [(0, 0, "open"), (1, 0, "disorder"), (0, 1, "disorder")])
def test_a_sender_is_open_where_nothing_is_lost_or_repeated(lost: int, resent: int, state: str) -> None:
    made = sender(segments=2)
    made.state, made.next_byte = "recovery", 9 * MSS
    made.queue.lost, made.queue.resent = lost, resent
    keep_open(made)
    assert (made.state, made.high_byte) == (state, 9 * MSS)


def test_a_time_out_marks_the_first_segment_and_those_that_are_older_than_a_round_trip() -> None:
    queue = RetransmitQueue()
    queue.rack.rtt_us = 40_000
    queue.segments.extend(
        segment(number, sent_ns=at_us * 1000) for number, at_us in enumerate((990_000, 959_999, 960_000, 960_001))
    )
    queue.mark_at_timeout(1_000_000)
    assert [each.lost for each in queue] == [True, True, True, False]
    assert (queue.lost, queue.in_flight) == (3, 1)


def test_cubic_grows_no_slower_than_standard_tcp() -> None:
    """Which adds 3 (1 - b) / (1 + b) = 0.53 segments a window: one for 15/8 of a window (RFC 9438, 4.3)."""
    cubic = Cubic(100, threshold=100)
    cubic.reduce()
    cubic.window = 100
    for number in range(2_000):
        cubic.grow(1_000 * MS + number * MS // 20, 1)
    assert cubic.window == pytest.approx((100**2 + 2 * 2_000 * 8 / 15) ** 0.5, abs=3)


@pytest.mark.parametrize(("timer", "after"), [("probe", "retransmit"), ("reorder", "reorder")])
def test_what_is_sent_again_restarts_the_time_out_but_not_where_late_segments_are_waited_for(
    timer: Any, after: str
) -> None:
    made = sender(segments=2)
    made.state, made.timer, made.next_byte = "recovery", timer, 2 * MSS
    made.queue.mark_lost(made.queue.head)
    repeat_lost(made, 100 * MS)
    assert (made.repeated, made.timer) == (1, after)
