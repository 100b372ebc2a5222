"""The receive window in a guest's own numbers."""

import pytest

from pqbed.model.simulate.receive_window import ReceiveWindow

MSS = 1448
MS = 1_000_000
RTT_MS = 40


def window_of(offered: int = 64_240, records: tuple[int, ...] = ()) -> ReceiveWindow:
    window = ReceiveWindow(mss=MSS, offered=offered, records=records)
    window.open(0)
    return window


def take(window: ReceiveWindow, size: int = MSS, now_ms: int = RTT_MS, echo_ms: int = 0) -> int:
    window.receive(now_ms * MS, size, echo_ms)
    window.offer()
    window.read()
    return window.offered


def test_the_first_acknowledgements_offer_what_a_guest_s_did() -> None:
    """A flight of 1448 and 813 bytes, then full segments, up to what the buffer holds with one of them unread."""
    window = window_of()
    window.offer()
    assert window.offered == 64_256
    assert [take(window, size) for size in (1448, 813, 1448, 1448, 1448, 1448)] == [
        67_072,
        69_888,
        72_832,
        75_776,
        76_928,
        76_928,
    ]
    # A short one takes less memory.
    assert take(window, 478) == 77_568


def test_a_window_that_is_set_is_not_exceeded_at_first() -> None:
    window = window_of(4 * 1460)
    assert (window.limit, window.room) == (5_840, 5_840)


def test_the_buffer_grows_with_what_was_read_in_an_rtt() -> None:
    """After a header of 5 bytes, the rest of 23 segments in an RTT: twice their bytes, and twice the growth from 10."""
    window = window_of()
    for _ in range(22):
        take(window)
    assert window.buffer == 131_072
    take(window, now_ms=2 * RTT_MS + 1, echo_ms=RTT_MS)
    read = 23 * MSS - 5
    assert window.buffer == pytest.approx(2 * read * (1 + 2 * (read / (10 * MSS) - 1)) * 256 / 153, rel=1e-4)


def test_a_program_that_does_not_read_shrinks_the_window_but_takes_nothing_back() -> None:
    window = window_of()
    limits = []
    for number in range(30):
        window.receive((RTT_MS + number) * MS, MSS, 0)
        window.offer()
        limits.append(window.limit)
    assert limits == sorted(limits)
    assert window.offered < 64_240
    window.read()
    window.offer()
    assert window.offered > 64_240


@pytest.mark.parametrize(
    ("records", "taken"),
    [
        pytest.param((5_000, 9_000), MSS, id="in the middle of a record"),
        pytest.param((1_448, 9_000), MSS, id="at the start of a record"),
        pytest.param((2_000, 9_000), 2_000 - MSS, id="to the end of a record"),
        pytest.param((1_444, 2_000), MSS, id="four bytes of a header were there"),
        pytest.param((1_443, 2_000), 2_000 - MSS, id="the whole header was there"),
        pytest.param((1_448,), MSS, id="behind the last record"),
    ],
)
def test_all_is_read_at_the_start_of_a_record_and_within_one_what_is_left_of_it(
    records: tuple[int, ...], taken: int
) -> None:
    window = window_of(records=records)
    window.receive(0, MSS, 0)
    window.read()
    window.receive(0, MSS, 0)
    assert window._first_read() == taken


@pytest.mark.parametrize(("spare", "offered"), [(0, MSS), (-1, 0)])
def test_a_crowded_buffer_offers_a_whole_segment_or_nothing(spare: int, offered: int) -> None:
    """The memory of what is not read leaves room for one segment to the byte, or for one byte less."""
    window = window_of()
    window.full, window.ratio, window.buffer = 1_408, 256, 16 * 1_408
    window._memory = window.buffer - 1_408 - spare
    assert window.is_crowded
    assert window.select() == (1_408 if offered else 0)


@pytest.mark.parametrize(("rtt_us", "share"), [(500, 0.5), (999, 0.999), (1_000, 2.0)])
def test_over_less_than_a_millisecond_the_buffer_grows_by_the_share_of_one(rtt_us: int, share: float) -> None:
    """From 1 ms on by twice the growth instead: here from 10 segments to 20, the same again."""
    window = window_of()
    window._rtt, window.ratio, window._came_ns = rtt_us << 3, 256, 10 * MS
    window._enlarge(100 * MSS, 0)
    read, before = 100 * MSS, 10 * MSS
    growth = share if rtt_us < 1_000 else share * (read - before) / before
    assert window.buffer == int(2 * read * (1 + growth))
