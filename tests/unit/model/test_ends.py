"""The rules of the two halves of an end, one by one."""

import pytest

from pqbed.model.floor import most_segments
from pqbed.model.simulate.hystart import HyStart
from pqbed.model.simulate.receiver import FIRST_ROOM_BYTES, FIRST_WINDOW_BYTES, SimReceiver
from pqbed.model.simulate.sender import SimSender
from support.units import MS

MSS = 1448
RTT = 40 * MS


def sender_of(window: int, limit: int = 10**9) -> SimSender:
    return SimSender(window=window, mss=MSS, peer_limit=limit)


def test_a_write_fills_up_a_short_segment_that_waits() -> None:
    sender = sender_of(1)
    for size in (100, 200, 2000):
        sender.write(size)
        sender.release(0)
    # 100 left alone; 200 waited and took 1248 of the 2000.
    assert list(sender.queued) == [1448, 752]


def test_a_window_in_use_doubles_and_one_that_is_not_stays() -> None:
    full, idle = sender_of(4), sender_of(4)
    for sender, segments in ((full, 4), (idle, 2)):
        sender.write(segments * MSS)
        sender.release(0)
        sender.note_ack(RTT, segments * MSS, 10**9)
    assert (full.window, idle.window) == (8, 4)


def test_after_slow_start_twenty_acknowledged_add_one() -> None:
    sender = sender_of(20)
    sender.slow_start = False
    sender.write(100 * MSS)
    for round_ in range(2):
        sender.release(round_ * RTT)
        sender.note_ack((round_ + 1) * RTT, sender.next_byte, 10**9)
    assert sender.window == 22


def train(
    hystart: HyStart,
    *,
    spacing_ns: int,
    count: int,
    window: int = 16,
    rtt_ns: int = RTT,
    start_ns: int = 0,
    end: int = 10**6,
) -> int | None:
    """Acknowledge `count` segments; return after how many slow start ends."""
    for number in range(count):
        if hystart.note_ack(start_ns + number * spacing_ns, rtt_ns, window, number + 1, end):
            return number
    return None


@pytest.mark.parametrize(("spacing_ns", "ends"), [(MS, 21), (3 * MS, None)])
def test_acknowledgements_for_half_an_rtt_end_slow_start(spacing_ns: int, ends: int | None) -> None:
    """(40 + 1) / 2 ms: the 21st is the first after; those 3 ms apart are no train."""
    assert train(HyStart(), spacing_ns=spacing_ns, count=60) == ends


def test_a_small_window_never_ends_it() -> None:
    assert train(HyStart(), spacing_ns=MS, count=60, window=15) is None


@pytest.mark.parametrize(("later_ns", "ends"), [(5 * MS, None), (5 * MS + 1, 8)])
def test_a_round_later_by_an_eighth_ends_it(later_ns: int, ends: int | None) -> None:
    hystart = HyStart()
    hystart.note_ack(0, RTT, 16, 1, 0)
    assert train(hystart, spacing_ns=1, count=20, rtt_ns=RTT + later_ns, start_ns=100 * MS) == ends


def take(receiver: SimReceiver, size: int = MSS, now_ns: int = 0, *, pushed: bool = False) -> bool:
    at_once = receiver.receive(now_ns, size, RTT, pushed=pushed)
    if at_once:
        receiver.note_ack_sent()
    return at_once


def test_sixteen_segments_are_acknowledged_one_by_one_then_every_other() -> None:
    receiver = SimReceiver(mss=MSS)
    assert [take(receiver) for _ in range(20)] == [True] * 16 + [False, True] * 2


def test_who_has_answered_acknowledges_every_other_segment_and_two_pushed_ones() -> None:
    receiver = SimReceiver(mss=MSS, conversing=True)
    assert [take(receiver) for _ in range(4)] == [False, True] * 2
    assert [take(receiver, 80, pushed=True) for _ in range(2)] == [False, True]


def test_the_window_grows_by_two_segments_a_segment_up_to_the_room() -> None:
    receiver = SimReceiver(mss=MSS)
    assert receiver.limit == FIRST_WINDOW_BYTES
    take(receiver)
    assert receiver.window == FIRST_WINDOW_BYTES + 2 * 1460
    for _ in range(20):
        take(receiver)
    assert receiver.window == FIRST_ROOM_BYTES


def test_the_room_grows_with_what_was_read_in_an_rtt() -> None:
    receiver = SimReceiver(mss=MSS)
    for number in range(22):
        take(receiver, now_ns=number)
    assert receiver.room == FIRST_ROOM_BYTES
    take(receiver, now_ns=RTT)
    # Seen in a guest: after 33 kB in the first RTT of a response the window went on growing to 306,048 bytes.
    assert receiver.room == pytest.approx(306_048, rel=0.1)


@pytest.mark.parametrize(("flight", "segments"), [(2_262, 4), (15_860, 13), (31_657, 25)])
def test_short_segments_of_a_flight_are_in_the_floor_s_window(flight: int, segments: int) -> None:
    """Seen: 2, 12 and 23."""
    assert most_segments(flight) == segments
