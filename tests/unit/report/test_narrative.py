from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from pqbed.report.narrative import describe_result, list_caveats, tabulate_failures
from pqbed.report.report_data import read_report_data
from support.reports import MakeRun, MeasuredOf
from support.sweeps import CLASSIC, manifest


def test_three_sentences_with_numbers_and_their_intervals(measured_of: MeasuredOf) -> None:
    cost, trend, sure = describe_result(measured_of())
    lead = "At the median, over 4 combinations of link and size: compared with classic, a fetch with hybrid took "
    assert cost.startswith(lead)
    assert "; one with pq took " in cost
    assert "95% interval +" in cost
    assert " ms), most for " in cost
    assert trend.startswith("The increase shrinks as the response grows: hybrid takes ")
    assert "at 0B and " in trend
    assert sure.startswith("All 480 fetches succeeded. Findings for 8 increases at 95%: ")
    assert sure.endswith("; equivalent means within ±1%.")


def test_few_samples_are_told_with_how_many_it_takes(measured_of: MeasuredOf) -> None:
    measured = measured_of(samples=10)
    sure = describe_result(measured)[2]
    assert sure.endswith(" With 10 samples per cell, p75 and p90 have no interval, which takes 36 samples.")
    assert describe_result(measured_of(samples=3))[2].endswith("but there are too few samples for any 95% interval.")


def test_failures_are_told(measured_of: MeasuredOf) -> None:
    measured = measured_of(bed={"fail_at": {1, 2, 30}})
    assert describe_result(measured)[2].startswith(
        "3 of 480 fetches failed and count as slower than all successful ones. "
    )
    failures = tabulate_failures(measured)
    assert sum(row[3] for row in failures) == 3
    assert {row[5] for row in failures} <= {"1 tls_error", "2 tls_error"}


def test_nothing_is_claimed_where_nothing_was_compared(measured_of: MeasuredOf) -> None:
    alone = describe_result(measured_of(profiles=(CLASSIC,)))
    assert alone[0].startswith("Nothing was compared")
    failed = describe_result(measured_of(bed={"fail_at": range(10_000)}))
    assert failed[0].startswith("Nothing was compared")
    assert failed[2] == "480 of 480 fetches failed and count as slower than all successful ones."


def test_one_size_says_nothing_on_the_trend(measured_of: MeasuredOf) -> None:
    assert "Only one response size" in describe_result(measured_of(size_bytes=(0,)))[1]


@pytest.mark.parametrize(
    ("last", "words"),
    [(30.0, "The increase does not shrink"), (1.0, "The increase shrinks as"), (-3.0, "3.0% shorter at 50KiB")],
)
def test_the_trend_is_told_as_it_is(measured_of: MeasuredOf, last: Any, words: Any) -> None:
    measured = measured_of(samples=10)
    at_end = pl.when(pl.col("size_bytes") > 0).then(last).otherwise(20.0)
    changed = replace(measured, percentiles=measured.percentiles.with_columns(increase=at_end))
    assert words in describe_result(changed)[1]


def test_caveats_are_those_of_the_run(make_run: MakeRun) -> None:
    run = make_run()
    measured = read_report_data(run)
    assert measured is not None
    told = " ".join(list_caveats(measured, run.manifest))
    assert "Virtual time has no CPU cost" in told
    assert "fake bed" in told
    assert "not finished" not in told
    real = replace(run.manifest, clock="real", bed="docker", state="interrupted")
    told = " ".join(list_caveats(measured, real))
    assert "CPU" not in told
    assert "not finished (interrupted)" in told
    offload = replace(measured, cells=measured.cells.with_columns(segmentation=pl.lit("offload-off")))
    assert "one packet" in " ".join(list_caveats(offload, real))


@pytest.mark.parametrize(("known", "words"), [(4, "Of 4 intervals at 95%, about 0.2 are"), (24, "about 1.2 are")])
def test_chance_is_expected_as_it_is_and_not_once_at_least(measured_of: MeasuredOf, known: Any, words: Any) -> None:
    data = measured_of()
    rank = pl.int_range(pl.len())
    bounds = data.percentiles.with_columns(increase_low=pl.when(rank < known).then(1.0))
    assert words in " ".join(list_caveats(replace(data, percentiles=bounds), manifest()))


def test_no_difference_is_told_that_was_not_found(measured_of: MeasuredOf) -> None:
    measured = measured_of(aa=True)
    assert measured.copy_of == "classic"
    assert set(measured.cells["profile"]) == {"classic", "hybrid", "pq"}
    assert measured.counts.height == 16
    assert "two equal arms differed by at most ±" in describe_result(measured)[2]
    assert "noise floor is close to zero" in " ".join(list_caveats(measured, replace(manifest(), bed="uml")))
    table = measured.percentiles
    not_found = table.with_columns(finding=pl.when(pl.col("finding").is_not_null()).then(pl.lit("within noise")))
    cost, trend, sure = describe_result(replace(measured, percentiles=not_found))
    assert cost.endswith(
        "a fetch with hybrid was not found to differ (4 within noise); one with pq was not found to "
        "differ (4 within noise)."
    )
    assert "takes about the same time at 0B and about the same time at 50KiB" in trend
    assert "Findings for 8 increases at 95%: 8 within noise" in sure


@pytest.mark.parametrize(
    ("noise", "words"), [(1.0, "The increase shrinks as the response grows:"), (6.0, "The increase does not shrink")]
)
def test_a_trend_within_the_noise_is_none(measured_of: MeasuredOf, noise: Any, words: Any) -> None:
    measured = measured_of(samples=10)
    at_end = pl.when(pl.col("size_bytes") > 0).then(15.0).otherwise(20.0)
    changed = measured.percentiles.with_columns(increase=at_end, noise=pl.lit(noise), finding=pl.lit("differs"))
    assert words in describe_result(replace(measured, percentiles=changed))[1]
