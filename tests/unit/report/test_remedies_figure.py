from typing import Any

import altair as alt

from pqbed.report.figure_files import whole_spec
from pqbed.report.figures.remedies import draw_remedies
from pqbed.spec.remedies import profile_remedy, window_remedy
from pqbed.stats.rank_remedies import Ranked, RankedLink


def ranked(remedy: Any, saved_ns: float | None) -> Ranked:
    return Ranked(
        remedy=remedy, profile="a", connection="full", flight_bytes=1, p50_ns=1.0, p90_ns=1.0, saved_ns=saved_ns
    )


HELPED = {"profile": "web-p50-pq", "p50_ns": 200e6, "rtt_ns": 50_000_000, "link_name": "wpt-dsl", "size_bytes": 10_240}
LINK = RankedLink(
    helped=HELPED,
    remedies=(
        ranked(window_remedy(32), 50e6),
        ranked(profile_remedy("abridged"), 20e6),
        ranked(profile_remedy("slhdsa-root"), -10e6),
        ranked(profile_remedy("leaf-only"), -0.0),
        ranked(profile_remedy("falcon512"), None),
    ),
)


def test_each_remedy_that_has_a_time_is_a_bar() -> None:
    figure = draw_remedies([LINK], [LINK.title])
    (panel,) = figure.panels
    (rows,) = panel.spec["datasets"].values()
    assert [(row["remedy"], row["saved"], row["kind"], row["text"]) for row in rows] == [
        ("initcwnd 32", 25.0, "measured", "50.0 ms"),
        ("abridged certificates", 10.0, "by size", "20.0 ms"),
        ("root of SLH-DSA", -5.0, "measured", "-10.0 ms"),
        ("leaf only", 0.0, "by size", "0.0 ms"),
    ]
    assert panel.title == "wpt-dsl, 10KiB"


def test_the_figure_is_one_chart_by_the_schema() -> None:
    alt.Chart.from_dict(whole_spec(draw_remedies([LINK, LINK], ["one", "other"])))
