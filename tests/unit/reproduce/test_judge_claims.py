"""Verdicts from tables whose answers are known."""

from dataclasses import replace

import numpy as np
import pytest

from pqbed.reproduce.judge_claims import ClaimResult, evaluate_claims, stand
from pqbed.reproduce.verdict_text import verdict_row
from pqbed.spec.study import Claim
from support.studies import claim, published, results, study


def judge(one: Claim, *, cpu: bool = True) -> ClaimResult:
    (judged,) = evaluate_claims(results(study(one), cpu=cpu), published())
    return judged


def point(judged: ClaimResult) -> tuple[float, float]:
    assert judged.ours is not None
    assert judged.network is not None
    return judged.ours.point, judged.network.point


@pytest.mark.parametrize(
    ("asked", "ours", "network"),
    [
        (claim("ttlb"), 528, 520),
        (claim("ttlb", size_bytes=0), 124, 120),  # the handshake, not the fetch of an empty body
        (claim("ttlb", rtts=2), 528 + 2 * 35, 520 + 2 * 35),  # what the study's timer counts in addition
        (claim("increase"), 100 * (528 / 504 - 1), 4),
        (claim("increase", size_bytes=0), 100 * (124 / 102 - 1), 20),
        (claim("largest increase", size_bytes=None), 100 * (124 / 102 - 1), 20),
        (claim("increase over a sweep", sweep="far", over="near"), 100 * (1048 / 528 - 1), 100),
    ],
)
def test_what_is_measured(asked: Claim, ours: float, network: float) -> None:
    assert point(judge(asked)) == pytest.approx((ours, network))


def test_a_ratio_is_of_the_means_over_all_links() -> None:
    judged = judge(claim("ratio of increases", sweep="both", size_bytes=0, over="small"), cpu=False)
    assert point(judged) == pytest.approx((20 / 10, 20 / 10))


def test_a_chain_is_judged_by_its_bytes_and_nothing_by_none() -> None:
    assert point(judge(claim("chain"))) == (16.1, 16.1)
    nothing = judge(claim("none"))
    assert (nothing.ours, nothing.network, nothing.standing) == (None, None, "not measured")


def test_the_cpu_term_is_that_of_a_time_or_the_difference_behind_an_increase() -> None:
    assert judge(claim("ttlb")).cpu_ms == 8
    assert judge(claim("increase")).cpu_ms == 4
    assert judge(claim("increase", size_bytes=0)).cpu_ms == 2
    assert judge(claim("largest increase", size_bytes=None)).cpu_ms is None
    assert judge(claim("ttlb"), cpu=False).cpu_ms is None


def test_without_a_cpu_term_the_network_stands_alone() -> None:
    ours, network = point(judge(claim("ttlb"), cpu=False))
    assert ours == network == pytest.approx(520)


def test_an_empty_body_is_a_fetch_where_the_study_says_so() -> None:
    asked = claim("ttlb", size_bytes=0)
    (judged,) = evaluate_claims(results(study(asked, empty_is_handshake=False), cpu=False), published())
    assert point(judged)[0] == pytest.approx(120 + 35)


def test_the_interval_holds_the_spread_of_the_blocks() -> None:
    judged = judge(claim("ttlb"), cpu=False)
    assert judged.ours is not None
    assert judged.ours.interval is not None
    low, high = judged.ours.interval
    assert 519.98 < low < 520 < high < 520.02


@pytest.mark.parametrize(
    ("value", "low", "high", "standing"),
    [
        (29, 29, 35, "inside"),
        (35, 29, 35, "inside"),
        (28.99, 29, 35, "outside"),
        (35.01, 29, 35, "outside"),
        (-20, None, 5, "inside"),
        (5.1, None, 5, "outside"),
        (9, 5, None, "inside"),
        (np.inf, 5, 9, "outside"),
        (np.nan, 5, 9, "not measured"),
    ],
)
def test_the_ends_belong_to_a_band(value: float, low: float | None, high: float | None, standing: str) -> None:
    assert stand(value, low, high) == standing


def test_a_cell_without_samples_is_not_measured() -> None:
    found = results(study(claim("ttlb", 0, 1)), cpu=False)
    found.grid.values["ttlb"][:] = np.nan
    found.grid.values["handshake"][:] = np.nan
    (judged,) = evaluate_claims(found, published())
    assert judged.standing == "not measured"
    assert verdict_row(judged, "not measured").ours == "-"


def test_a_row_says_all_three_times() -> None:
    verdict = verdict_row(judge(claim("increase", 3, 5)), "")
    assert (verdict.published, verdict.band) == ("~4%", "3 to 5%")
    assert (verdict.ours, verdict.network, verdict.cpu) == ("+4.8%", "+4.0%", "+4.00 ms")
    assert verdict.interval == "+4.8 to +4.8"
    assert (verdict.standing, verdict.why) == ("inside", "")


def test_an_outside_says_why() -> None:
    outside = judge(claim("increase", 30, 40))
    assert verdict_row(outside, "").why == "w"
    unexplained = replace(outside, claim=replace(outside.claim, why=""))
    assert verdict_row(unexplained, "").why == "not explained"
    near = judge(claim("ttlb", 0, 527.999))
    assert verdict_row(near, "").why == "the interval reaches into the band; w"


def test_ranges_and_bounds_are_worded() -> None:
    judged = judge(claim("increase", None, 5))
    below = replace(judged, published=published(relation="below", value=5.0)["p"])
    assert (verdict_row(below, "").published, verdict_row(below, "").band) == ("< 5%", "up to 5%")
    between = replace(judged, published=published(value=20.0, value_to=30.0)["p"])
    assert verdict_row(between, "in the times already").published == "~20 to 30%"
    assert verdict_row(between, "in the times already").cpu == "in the times already"
