"""When an end acknowledges what comes."""

import pytest

from pqbed.model.simulate.receive_window import ReceiveWindow
from pqbed.model.simulate.receiver import SimReceiver
from pqbed.model.simulate.rtt import RttEstimator

MS = 1_000_000
MSS = 1448


@pytest.fixture
def receiver() -> SimReceiver:
    rtt = RttEstimator()
    rtt.update(35_000, 35_000, 0, 0)
    made = SimReceiver(window=ReceiveWindow(mss=MSS, offered=64_240, records=()), rtt=rtt)
    made.open(0, 0)
    return made


def take(receiver: SimReceiver, size: int = MSS, now_ms: int = 0, *, pushed: bool = False) -> str:
    """Take in a segment and read it; return when it is acknowledged: `now`, `read` or `later`."""
    receiver.receive(now_ms * MS, size, 0, pushed=pushed)
    if receiver.is_due():
        receiver.note_ack_sent()
        receiver.is_due_after_read()
        return "now"
    receiver.delay(now_ms * MS)
    if receiver.is_due_after_read():
        receiver.note_ack_sent()
        return "read"
    return "later"


def converse(receiver: SimReceiver) -> None:
    take(receiver)
    receiver.note_data_sent(0)
    assert receiver.conversing


def test_at_first_each_segment_is_acknowledged(receiver: SimReceiver) -> None:
    assert {take(receiver) for _ in range(16)} == {"now"}


def test_who_has_answered_acknowledges_every_other_segment(receiver: SimReceiver) -> None:
    converse(receiver)
    assert [take(receiver) for _ in range(4)] == ["later", "now"] * 2


def test_and_the_second_of_two_short_ones_when_it_is_read(receiver: SimReceiver) -> None:
    converse(receiver)
    assert [take(receiver, 80, pushed=True) for _ in range(2)] == ["later", "read"]


def test_data_sent_much_later_is_no_answer(receiver: SimReceiver) -> None:
    take(receiver)
    receiver.note_data_sent(100 * MS)
    assert not receiver.conversing


def test_a_delayed_acknowledgement_comes_after_40_ms_and_ends_the_conversation(receiver: SimReceiver) -> None:
    converse(receiver)
    assert take(receiver, 80, now_ms=10, pushed=True) == "later"
    assert receiver.delay_ns == pytest.approx(50 * MS, abs=MS)
    assert receiver.note_timer()
    assert not receiver.conversing


def test_what_came_twice_is_told_at_once(receiver: SimReceiver) -> None:
    converse(receiver)
    receiver.repeat(0, MSS)
    assert receiver.duplicate == (0, MSS)
    assert receiver.is_due()
    receiver.note_ack_sent()
    assert receiver.duplicate is None
    assert not receiver.note_timer()
