"""The figures of a study: drawn of what was measured, with what was published."""

from typing import Any

import altair as alt

from pqbed.report.figures import Figure
from pqbed.reproduce.published_numbers import Published
from pqbed.reproduce.study_figures import draw_study
from support.studies import published, results, study


def drawn(numbers: dict[str, Published], *, cpu: bool = True) -> dict[str, Figure]:
    return {figure.name: figure for figure in draw_study(results(study(), cpu=cpu), numbers)}


def datasets(figure: Figure) -> list[list[dict[str, Any]]]:
    return [rows for panel in figure.panels for rows in panel.spec["datasets"].values()]


def test_each_figure_has_its_number_and_says_what_is_counted() -> None:
    figures = drawn(published())
    assert [(name, figure.title) for name, figure in figures.items()] == [
        ("figure-1", "Figure 1: bars"),
        ("figure-2", "Figure 2: lines"),
        ("figure-3", "Figure 3: curves"),
    ]
    for figure in figures.values():
        for panel in figure.panels:
            alt.LayerChart.from_dict(panel.spec)  # raises where it does not hold to the schema
        assert "only the handshake" in figure.notes[-1]
        assert "Network and CPU together" in figure.notes[-1]
    assert "CPU: not measured" in drawn(published(), cpu=False)["figure-1"].notes[-1]


def test_lines_hold_the_increase_of_the_sum_and_the_published_value() -> None:
    rows = datasets(drawn(published())["figure-2"])
    found = [row for some in rows for row in some if row.get("size_kib") == 50]
    ours = {round(row["increase"], 2) for row in found if row.get("percentile") == "p50" and "source" not in row}
    assert ours == {round(100 * (516 / 504 - 1), 2), round(100 * (528 / 504 - 1), 2)}
    assert [row["increase"] for row in found if row.get("source") == "w"] == [4.0, 4.0]  # one a panel


def test_bars_are_means_over_links_with_half_of_the_larger_marked() -> None:
    figure = drawn(published(figure="1", unit="times", value=2.0), cpu=False)["figure-1"]
    bars = {
        (row["percentile"], row["profile"], row.get("source")): row["increase"]
        for some in datasets(figure)
        for row in some
    }
    assert round(bars["p50", "small", None], 6) == 10
    assert round(bars["p50", "large", None], 6) == 20
    assert round(bars["p50", "small", "w"], 6) == 10


def test_curves_have_a_line_a_sweep_and_published_points() -> None:
    figure = drawn(published(figure="3", unit="ms", value=700.0, percentile=80.0))["figure-3"]
    rows = [row for some in datasets(figure) for row in some]
    assert {row["line"] for row in rows if "line" in row} == {"near", "far"}
    assert [(row["ttlb_ms"], row["share"]) for row in rows if "source" in row] == [(700.0, 0.8)]
