"""The timer wheel: when time-outs fire, as seen in a guest."""

import pytest

from pqbed.model.simulate.jiffies import expiry_ns, from_us

MS = 1_000_000


@pytest.mark.parametrize(
    ("set_ms", "timeout", "fires_ms"),
    [
        (2756.667, 40, 2796.944),  # a delayed acknowledgement: to the jiffy
        (1475.837, 302, 1783.944),  # to 8 jiffies
        (3247.944, 880, 4191.944),  # to 64
        (8355.743, 9095, 17887.944),  # to 512
    ],
)
def test_the_longer_a_time_out_is_the_coarser_it_fires(set_ms: float, timeout: int, fires_ms: float) -> None:
    assert expiry_ns(round(set_ms * MS), timeout) == round(fires_ms * MS)


@pytest.mark.parametrize("timeout", [1, 62, 63, 503, 504, 4031, 4032, 32_255, 32_256])
def test_none_fires_early_and_none_later_than_its_bucket(timeout: int) -> None:
    coarse = 1
    while timeout >= 63 * coarse:
        coarse *= 8
    late_ns = expiry_ns(0, timeout) - timeout * MS
    assert -MS < late_ns <= coarse * MS


def test_times_in_jiffies_are_rounded_up() -> None:
    assert [from_us(us) for us in (0, 1, 1000, 1001)] == [0, 1, 1, 2]
