"""Thresholds as typed."""

import pytest

from pqbed.errors import SpecError
from pqbed.spec.threshold import Threshold, parse_threshold, refuse_unmeasured, word_value
from support.sweeps import small_plan


def read(text: str, *, required: bool = False, bare: bool = True) -> Threshold:
    return parse_threshold(text, required=required, bare=bare)


def test_every_part_is_read() -> None:
    threshold = read("pq.ttlb.p99.9.increase > 5% at size=50KiB, rtt=200, rtt=35ms")
    assert (threshold.profile, threshold.metric, threshold.percentile) == ("pq", "ttlb", 99.9)
    assert (threshold.increase, threshold.operator, threshold.limit, threshold.unit) == (True, ">", 5.0, "%")
    assert threshold.where == {"size": (51_200,), "rtt": (200_000_000, 35_000_000)}


@pytest.mark.parametrize(
    ("text", "limit", "unit"),
    [
        ("ttlb < 0.8s", 8e8, "ns"),
        ("a.b-c.handshake.p90 > 20ms", 2e7, "ns"),
        ("failures > 0", 0, "count"),
        ("failures > 1.5%", 1.5, "%"),
        ("bytes > 16KiB", 16384, "bytes"),
        ("bytes > 16000", 16000, "bytes"),
        ("pq.retransmits.p90 > 2", 2, "count"),
    ],
)
def test_limits_have_the_unit_of_their_metric(text: str, limit: float, unit: str) -> None:
    threshold = read(text)
    assert (threshold.limit, threshold.unit) == (limit, unit)


def test_its_text_reads_back_where_no_unit_may_be_left_out() -> None:
    typed = read("pq.ttlb.increase>5% at rtt=200, size=50, loss=1")
    assert typed.text == "pq.ttlb.increase > 5% at rtt=200ms, size=50KiB, loss=1%"
    assert read(typed.text, bare=False) == typed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a threshold"),
        ("ttlb", "is not a threshold"),
        ("ttlb >= 5ms", "is not a threshold"),
        ("ttlb > 5", "'5' is not a time"),
        ("ttlp > 5ms", "there is no metric 'ttlp'"),
        ("pq.bytes.p90 > 5", "bytes has no percentiles"),
        ("pq.failures.increase > 5%", "there is no increase of failures"),
        ("ttlb.p100 > 5ms", "p100 is not a percentile"),
        ("ttlb > 5ms at rttt=35", "there is no axis 'rttt'"),
        ("ttlb > 5ms at rtt", "'rtt' gives no value"),
        ("ttlb > 5ms at rtt=x", "'x'"),
        ("ttlb > " + "9" * 300 + "ms", "at most 200 characters"),
        ("pq.ttlb.increase > lots%", "is not a percentage"),
    ],
)
def test_anything_else_is_refused_in_a_sentence_that_names_the_flag(text: str, said: str) -> None:
    with pytest.raises(SpecError) as refused:
        read(text, required=True)
    assert refused.value.message.startswith("--require: ")
    assert said in refused.value.message
    with pytest.raises(SpecError, match=r"^thresholds\.fail_if: "):
        read(text, bare=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pqq.ttlb > 1s", "no cell has the profile"),
        ("classic.ttlb.increase > 1%", "compares classic with itself"),
        ("ttlb > 1s at rtt=36", "no cell has the conditions"),
    ],
)
def test_a_threshold_that_concerns_no_cell_is_refused(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        refuse_unmeasured([read(text)], list(small_plan().cells.values()), "classic")


def test_values_are_worded_in_their_unit() -> None:
    assert [word_value(*pair) for pair in ((8.124e8, "ns"), (1.5e9, "ns"), (5.12, "%"), (3, "count"))] == [
        "812.4ms",
        "1.5s",
        "5.1%",
        "3",
    ]
