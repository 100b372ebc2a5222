"""What an estimate says of a threshold."""

import math

import pytest

from pqbed.gate.threshold_verdict import Estimate, Status, ThresholdVerdict, breaks_gate, decide
from pqbed.spec.threshold import parse_threshold

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("text", "required", "interval", "status"),
    [
        ("pq.ttlb.increase > 5%", False, (8, 6, 10), "violated"),
        ("pq.ttlb.increase > 5%", False, (8, 4, 12), "undecided"),
        ("pq.ttlb.increase > 5%", False, (3, 1, 5), "held"),
        ("pq.ttlb.increase < 5%", True, (8, 6, 10), "violated"),
        ("pq.ttlb.increase < 5%", True, (8, 5, 10), "violated"),
        ("pq.ttlb.increase < 5%", True, (8, 4, 10), "undecided"),
        ("pq.ttlb.increase < -5%", False, (-8, -10, -6), "violated"),
        ("pq.ttlb.increase < -5%", False, (-8, -10, -4), "undecided"),
        ("failures < 1", True, (1, 1, 1), "violated"),
        ("failures > 1", False, (1, 1, 1), "held"),
        ("ttlb > 0.1s", True, (90e6, 80e6, 99e6), "violated"),
        ("ttlb > 0.1s", True, (90e6, 80e6, 101e6), "undecided"),
        ("ttlb.p99 > 1s", False, (2e9, 1.5e9, NAN), "violated"),
        ("ttlb.p99 > 1s", False, (9e8, 8e8, NAN), "undecided"),
        ("ttlb.p99 < 1s", False, (9e8, 8e8, NAN), "unknown"),
        ("ttlb > 1s", False, (2e9, NAN, NAN), "unknown"),
        ("ttlb > 1s", False, (INF, INF, INF), "violated"),
        ("ttlb > 1s", False, (INF, 9e8, INF), "undecided"),
    ],
)
def test_the_near_end_of_the_interval_decides(
    text: str, required: bool, interval: tuple[float, float, float], status: Status
) -> None:
    value, low, high = interval
    assert decide(Estimate(value=value, low=low, high=high), parse_threshold(text, required=required)) == status


@pytest.mark.parametrize(("noise", "status"), [(1.4, "violated"), (1.5, "undecided")])
def test_an_increase_that_noise_could_have_made_violates_nothing(noise: float, status: Status) -> None:
    threshold = parse_threshold("pq.ttlb.increase > 1%", required=False)
    assert decide(Estimate(value=2.5, low=1.2, high=4.0, noise=noise), threshold) == status


@pytest.mark.parametrize(
    ("status", "broken"), [("held", False), ("undecided", False), ("unknown", True), ("violated", True)]
)
def test_what_cannot_be_decided_breaks_the_gate_and_what_noise_leaves_open_does_not(
    status: Status, broken: bool
) -> None:
    verdict = ThresholdVerdict(
        threshold=parse_threshold("ttlb > 1s", required=False),
        cell_id="c",
        profile="pq",
        where="rtt 35ms",
        estimate=Estimate.exact(1),
        status=status,
    )
    assert breaks_gate([verdict]) is broken
