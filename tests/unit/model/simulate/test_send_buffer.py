"""The send buffer: how much of a write it takes, and when a program may write on."""

from pqbed.model.simulate.send_buffer import LARGEST_BUFFER_BYTES, SEGMENT_MEMORY_BYTES, SendBuffer

MSS = 1448
SEGMENT = MSS + SEGMENT_MEMORY_BYTES


def buffer_of(window: int = 10, mss: int = MSS) -> SendBuffer:
    buffer = SendBuffer(mss=mss, largest_window=65_160)
    buffer.expand(window)
    return buffer


def sizes(buffer: SendBuffer) -> list[int]:
    return [waiting.size_bytes for waiting in buffer.waiting]


def test_a_write_fills_up_a_short_segment_that_waits() -> None:
    buffer = buffer_of()
    for size in (200, 2000):
        assert buffer.accept(size) == size
    assert sizes(buffer) == [1448, 752]
    # Only the end of what was written is pushed.
    assert [waiting.pushed for waiting in buffer.waiting] == [False, True]


def test_it_holds_twice_the_window_in_memory() -> None:
    buffer = buffer_of()
    assert buffer.size == 2 * 10 * 4_352
    taken = buffer.accept(1_000_000)
    assert taken == -(-buffer.size // SEGMENT) * MSS
    assert buffer.full
    assert buffer.accept(1) == 0


def test_of_small_segments_each_counts_a_smaller_block() -> None:
    assert buffer_of(mss=1348).size == 2 * 10 * 2_304
    assert buffer_of(mss=8948).size == 2 * 10 * 16_640


def test_it_never_grows_beyond_tcp_wmem() -> None:
    assert buffer_of(window=10_000).size == LARGEST_BUFFER_BYTES


def test_a_program_is_woken_when_a_third_is_free() -> None:
    buffer = buffer_of()
    segments = buffer.accept(1_000_000) // MSS
    freed = 0
    while not buffer.wake():
        buffer.free(MSS)
        freed += 1
    assert freed == segments - int(buffer.size * 2 / 3 // SEGMENT)
    assert not buffer.full


def test_long_writes_are_pushed_every_half_window() -> None:
    buffer = buffer_of(window=100)
    buffer.accept(100_000)
    pushed = [number for number, waiting in enumerate(buffer.waiting) if waiting.pushed]
    assert pushed == [22, 45, 68, 69]
