import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest

from pqbed.report.figure_files import figure_files, whole_spec, write_figures
from pqbed.report.figures import choose_figures
from pqbed.report.figures.figure_panels import Figure
from pqbed.report.figures.over_size import draw_increase
from pqbed.report.report_data import ReportData
from pqbed.report.theme import MODES, PALETTES, SHAPES, Mode, vega_config
from pqbed.spec.link import RandomLoss
from support.reports import MeasuredOf
from support.sweeps import CLASSIC

ONE_LINK = (35_000_000,)


def names_of(measured: ReportData) -> list[str]:
    return [figure.name for figure in choose_figures(measured)]


def rows_of(spec: dict[str, Any]) -> list[Any]:
    return [row for rows in spec["datasets"].values() for row in rows]


def colours_of(spec: dict[str, Any]) -> set[str]:
    encodings = [layer["encoding"] for layer in spec["layer"]]
    return {encoding["color"]["field"] for encoding in encodings if "color" in encoding}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["slide", "increase-over-size", "increase-by-link", "ttlb-over-size", "phases", "distribution"]),
        ({"rtt_ns": ONE_LINK}, ["slide", "increase-over-size", "ttlb-over-size", "phases", "distribution"]),
        ({"size_bytes": (0,)}, ["increase-by-link", "phases", "distribution"]),
        ({"rtt_ns": ONE_LINK, "size_bytes": (0,)}, ["increase-by-link", "phases", "distribution"]),
    ],
)
def test_what_varies_decides_what_is_drawn(
    measured_of: MeasuredOf, changes: dict[str, tuple[int, ...]], names: list[str]
) -> None:
    figures = choose_figures(measured_of(samples=4, **changes))
    assert [figure.name for figure in figures] == names
    for panel in (panel for figure in figures for panel in figure.panels):
        alt.LayerChart.from_dict(panel.spec) if "layer" in panel.spec else alt.Chart.from_dict(panel.spec)


def test_remedies_come_first_in_a_run_that_compares_some(measured_of: MeasuredOf) -> None:
    measured = measured_of(samples=4, profiles=(CLASSIC, replace(CLASSIC, name="leaf-only")), initcwnd=(10, 32))
    first, *_others = choose_figures(measured)
    assert first.name == "remedies"
    for panel in first.panels:
        (rows,) = panel.spec["datasets"].values()
        assert {row["remedy"]: row["kind"] for row in rows} == {"leaf only": "by size", "initcwnd 32": "measured"}


def test_one_profile_is_compared_with_nothing(measured_of: MeasuredOf) -> None:
    alone = measured_of(samples=4, profiles=(CLASSIC,))
    assert names_of(alone) == ["ttlb-over-size", "phases", "distribution"]


def test_every_axis_that_measures_something_has_a_title_with_a_unit(measured_of: MeasuredOf) -> None:
    def titles(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            for channel in ("x", "y"):
                definition = node.get("encoding", {}).get(channel, {})
                if definition.get("type") == "quantitative" and "title" in definition:
                    yield definition["title"]
            for value in node.values():
                yield from titles(value)
        elif isinstance(node, list):
            for value in node:
                yield from titles(value)

    found = {title for figure in choose_figures(measured_of(samples=4)) for title in titles(whole_spec(figure))}
    assert found >= {"Increase of TTLB (%)", "TTLB (ms)", "Response size (KiB)", "Time since the start (ms)"}
    assert all(title.endswith(")") for title in found)


def test_of_one_link_every_percentile_is_a_line_and_of_many_every_link(measured_of: MeasuredOf) -> None:
    one = draw_increase(measured_of(rtt_ns=ONE_LINK))
    assert {row["percentile"] for row in rows_of(one.panels[0].spec) if "percentile" in row} == {"p50", "p75", "p90"}
    assert colours_of(one.panels[0].spec) == {"percentile"}
    many = draw_increase(measured_of())
    assert colours_of(many.panels[0].spec) == {"series"}
    assert [panel.title for panel in many.panels] == ["hybrid against classic", "pq against classic"]


def test_published_values_are_drawn_in_their_panel_only(measured_of: MeasuredOf) -> None:
    published = pl.DataFrame({"profile": ["pq"], "percentile": ["p50"], "size_kib": [0.0], "increase": [33.0]})
    hybrid, pq = draw_increase(measured_of(), published).panels
    assert "published" not in json.dumps(hybrid.spec)
    assert "published" in json.dumps(pq.spec)


def test_phases_have_a_stroke_where_the_model_knows_the_cell(measured_of: MeasuredOf) -> None:
    def strokes(measured: ReportData) -> list[float]:
        (figure,) = [one for one in choose_figures(measured) if one.name == "phases"]
        rows = [row for panel in figure.panels for row in rows_of(panel.spec)]
        return sorted(row["expected_ms"] for row in rows if "expected_ms" in row)

    measured = measured_of(samples=4)
    assert strokes(measured) == sorted(measured.cells["expected_ns"] / 1_000_000)
    assert strokes(measured_of(samples=4, loss=(RandomLoss(probability_ppm=10_000),))) == []


def test_no_chart_has_more_rows_than_altair_allows(measured_of: MeasuredOf) -> None:
    measured = measured_of(size_bytes=tuple(range(0, 30_000, 1000)), samples=60, rtt_ns=ONE_LINK)
    assert alt.data_transformers.active == "default"
    for figure in choose_figures(measured):
        for panel in figure.panels:
            assert max(map(len, panel.spec["datasets"].values())) <= 5000


def test_a_cell_without_any_success_leaves_a_gap_and_no_error(measured_of: MeasuredOf) -> None:
    measured = measured_of(bed={"fail_at": range(10_000)}, samples=3)
    assert names_of(measured)
    for figure in choose_figures(measured):
        if figure.panels:
            assert figure_files(figure)


def test_files_of_a_figure_stand_alone(measured_of: MeasuredOf, tmp_path: Path) -> None:
    figures = choose_figures(measured_of(samples=4))
    written = write_figures(tmp_path, figures[1:2])
    assert sorted(path.name for path in written) == [
        "increase-over-size-dark.png",
        "increase-over-size-dark.svg",
        "increase-over-size.png",
        "increase-over-size.svg",
        "increase-over-size.vl.json",
    ]
    content = {path.name: path.read_bytes() for path in written}
    assert content["increase-over-size.png"].startswith(b"\x89PNG")
    assert b"<path" in content["increase-over-size.svg"]
    assert PALETTES["dark"].page.encode() in content["increase-over-size-dark.svg"]
    spec = json.loads(content["increase-over-size.vl.json"])
    alt.Chart.from_dict(spec)
    assert spec["config"]["background"] == PALETTES["light"].page


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", MODES)
def test_colours_can_be_told_from_their_background(mode: Mode) -> None:
    palette = PALETTES[mode]
    assert min(contrast(colour, palette.page) for colour in palette.series) >= 3
    assert contrast(palette.ink, palette.page) >= 7
    assert contrast(palette.quiet, palette.page) >= 4.5
    assert contrast(palette.on_strong, palette.diverging[0]) >= 4.5
    assert contrast(palette.on_strong, palette.diverging[-1]) >= 4.5
    assert contrast(palette.on_weak, palette.diverging[2]) >= 4.5
    assert len(palette.series) >= len(SHAPES)
    assert vega_config(mode)["background"] == palette.page


def noises_of(figure: Figure) -> list[dict[str, float | str]]:
    """Return the rows that the layers of the noise floor draw, of all panels."""
    layers = [(panel.spec, layer) for panel in figure.panels for layer in panel.spec.get("layer", [])]
    return [
        row
        for spec, layer in layers
        if isinstance(layer["mark"], dict) and layer["mark"].get("style") == "noise"
        for row in spec["datasets"][layer["data"]["name"]]
    ]


@pytest.mark.parametrize(
    ("changes", "each"), [({}, "size_kib"), ({"size_bytes": (0,)}, "link"), ({"rtt_ns": ONE_LINK}, "size_kib")]
)
def test_increases_are_drawn_over_the_noise_of_the_aa_arm(
    measured_of: MeasuredOf, changes: dict[str, tuple[int, ...]], each: str
) -> None:
    measured = measured_of(aa=True, **changes)
    figure = choose_figures(measured)[0]
    drawn = {(row["percentile"], row[each]): (row["negative"], row["noise"]) for row in noises_of(figure)}
    floors = measured.percentiles.group_by("percentile", each).agg(pl.col("noise").max())
    assert drawn == {(name, place): (-noise, noise) for name, place, noise in floors.rows()}
    assert len(drawn) == 6
    assert all("noise floor" in other.reading for other in choose_figures(measured))
    assert "-again" not in json.dumps([panel.spec for other in choose_figures(measured) for panel in other.panels])


def test_without_an_aa_arm_no_noise_is_drawn_nor_told(measured_of: MeasuredOf) -> None:
    figures = choose_figures(measured_of())
    assert noises_of(figures[0]) == []
    assert not any("noise floor" in figure.reading for figure in figures)
