"""Whatever a sweep may vary, its report can be drawn, and says what of it is not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqbed.report import report_data
from pqbed.report.figures import choose_figures, reduce_rows
from pqbed.report.figures.reduce_rows import _counts_that_fit, reduce_data, rows_of_largest_panel
from pqbed.report.report_data import MOST_ROWS
from support.profiles import PQ
from support.reports import MeasuredOf
from support.sweeps import CLASSIC

COUNTS = st.fixed_dictionaries(dict.fromkeys(("profiles", "sizes", "percentiles"), st.integers(1, 3000)))


@given(COUNTS, st.integers(1, 3000))
@settings(max_examples=100, deadline=None)
def test_any_run_is_reduced_to_panels_that_fit(counts: dict[str, int], links: int) -> None:
    kept = _counts_that_fit(counts, links)
    assert rows_of_largest_panel(kept, links) <= MOST_ROWS
    assert all(1 <= kept[name] <= counts[name] for name in counts)


@pytest.mark.parametrize(
    "changes",
    [
        {"rtt_ns": tuple(1_000_000 * n for n in range(1, 9)), "size_bytes": tuple(range(20)), "samples": 1},
        {
            "rtt_ns": (35_000_000,),
            "profiles": tuple(replace(CLASSIC if n % 2 else PQ, name=f"p{n}") for n in range(60)),
            "samples": 2,
        },
    ],
    ids=["links and sizes", "profiles"],
)
def test_a_large_run_is_drawn_with_a_note(
    measured_of: MeasuredOf, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    # A tenth of what altair allows, so that a run which is too large is soon measured.
    for module in (report_data, reduce_rows):
        monkeypatch.setattr(module, "MOST_ROWS", MOST_ROWS // 10)
    data = measured_of(**({"profiles": (CLASSIC, PQ)} | changes))
    figures = choose_figures(data)
    for figure in figures:
        assert any("are drawn; the table of cells has all of them" in note for note in figure.notes), figure.name
        for panel in figure.panels:
            assert all(len(rows) <= MOST_ROWS // 10 for rows in panel.spec["datasets"].values())


def test_the_smallest_and_the_largest_size_are_drawn(measured_of: MeasuredOf) -> None:
    data = measured_of(profiles=(CLASSIC, PQ), size_bytes=tuple(range(200)), samples=1)
    drawn, _ = reduce_data(data)
    assert 1 < len(drawn.sizes) < 200
    assert (drawn.sizes[0], drawn.sizes[-1]) == (data.sizes[0], data.sizes[-1])


def test_a_small_run_is_drawn_whole(measured_of: MeasuredOf) -> None:
    data = measured_of(samples=2)
    assert reduce_data(data) == (data, ())
