"""When slow start ends without a loss."""

import pytest

from pqbed.model.simulate.hystart import HyStart

MS = 1_000
RTT = 40 * MS
FAST = 10**9


def train(
    hystart: HyStart,
    *,
    spacing_us: int,
    count: int,
    window: int = 16,
    rtt_us: int = RTT,
    start_us: int = 0,
    rate: int = FAST,
) -> int | None:
    """Acknowledge `count` segments; return after how many slow start ends."""
    for number in range(count):
        ended = hystart.note_ack(
            start_us + number * spacing_us,
            rtt_us,
            shortest_us=RTT,
            window=window,
            acknowledged=number + 1,
            next_byte=10**6,
            rate=rate,
        )
        if ended:
            return number
    return None


@pytest.mark.parametrize(("spacing_us", "ends"), [(MS, 21), (3 * MS, None)])
def test_acknowledgements_for_half_an_rtt_end_slow_start(spacing_us: int, ends: int | None) -> None:
    """At 10^9 bytes a second pacing delays by 0.3 ms: the 21st comes first after 20.1 ms; 3 ms apart are no train."""
    assert train(HyStart(), spacing_us=spacing_us, count=60) == ends


def test_pacing_at_a_low_rate_is_allowed_for_by_a_millisecond() -> None:
    assert train(HyStart(), spacing_us=100, count=300, rate=10**6) == 206
    assert train(HyStart(), spacing_us=100, count=300, rate=FAST) == 202


def test_a_small_window_never_ends_it() -> None:
    assert train(HyStart(), spacing_us=MS, count=60, window=15) is None


@pytest.mark.parametrize(("later_us", "ends"), [(5 * MS, None), (5 * MS + 1, 8)])
def test_a_round_later_by_an_eighth_ends_it(later_us: int, ends: int | None) -> None:
    hystart = HyStart()
    hystart.reset(0, 0)
    # Acknowledgements 3 ms apart are no train.
    assert train(hystart, spacing_us=3 * MS, count=20, rtt_us=RTT + later_us, start_us=100 * MS) == ends
