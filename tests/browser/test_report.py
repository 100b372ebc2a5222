"""The report in headless Chromium, from its file: it draws, answers its controls, and asks nothing of a network."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pqbed.beds.fake_bed import FakeBed
from pqbed.plan import plan_sweep
from pqbed.report.theme import PALETTES
from pqbed.report.verdict_rows import Verdict, write_verdicts
from pqbed.report.write_report import write_report
from pqbed.runner import run_sweep
from support.chromium import PHONE, Page, find_chromium
from support.profiles import PQ
from support.served import wait_for
from support.sweeps import CLASSIC, SWEEP, new_run

pytestmark = pytest.mark.browser

MARKS = ".mark-line path, .mark-rect path, .mark-symbol path, .mark-area path"
# Long and short ones, as a verdict table has.
VERDICTS = (
    Verdict(question="200 KiB at 10 %, p50", published="4,644 ms", band="10 %", ours="4,519 ms", standing="inside"),
    Verdict(
        question="Pareto-normal, 200 KiB, p80",
        published="~1,000 ms",
        band="20 %",
        ours="345 ms",
        interval="330 to 361 ms",
        standing="outside",
        why="No plain reading of the parameters gives it. " * 4,
    ),
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the page of a run with several links, profiles and sizes, and some failures."""
    sweep = replace(
        SWEEP, profiles=(CLASSIC, replace(PQ, name="hybrid"), PQ), size_bytes=(0, 51_200, 204_800), aa=True, samples=40
    )
    with new_run(tmp_path_factory.mktemp("runs")) as run:
        run_sweep(plan_sweep(sweep), FakeBed(fail_at={5, 6, 77}), run, lanes=1)
        write_verdicts(run.path, VERDICTS)
        return write_report(run, figure_files=False).page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium on this host: apt-get install chromium")
    with Page(program) as page:
        yield page


@pytest.fixture
def page(browser: Any) -> Any:
    browser.requests.clear()
    browser.complaints.clear()
    return browser


def drawn(page: Any) -> Any:
    """Return for each chart its figure, and how many marks it has."""
    return page.run(
        f"""[...document.querySelectorAll(".chart")].map(chart => [
            chart.closest("figure").id, chart.querySelectorAll({MARKS!r}).length])"""
    )


def pictures(page: Any, figure: Any) -> Any:
    return page.run(f'[...document.querySelectorAll("#{figure} svg")].map(svg => svg.outerHTML)')


def test_every_figure_is_drawn_and_nothing_leaves_the_page(page: Any, report: Any) -> None:
    for width, dark in ((1280, False), (1280, True), (PHONE, False), (PHONE, True)):
        page.show(report, width=width, dark=dark)
        charts = drawn(page)
        assert len(charts) == 1 + 2 + 2 + 2 + 2 + 2
        assert min(marks for _figure, marks in charts) >= 3
    assert set(page.requests) <= {report.resolve().as_uri(), "data:,"}
    assert page.complaints == []


def test_the_percentile_control_changes_the_figures(page: Any, report: Any) -> None:
    page.show(report)
    figures = ("increase-over-size", "increase-by-link", "ttlb-over-size", "phases")
    before = {figure: pictures(page, figure) for figure in figures}
    page.run("document.querySelector('input[value=p90]').click()")
    page.wait("document.body.dataset.drawn === 'yes'")
    after = {figure: pictures(page, figure) for figure in figures}
    assert [figure for figure in figures if before[figure] == after[figure]] == []
    page.run("document.querySelector('input[value=p50]').click()")
    page.wait("document.body.dataset.drawn === 'yes'")
    assert pictures(page, "increase-by-link") == before["increase-by-link"]


def test_the_size_control_changes_the_distributions(page: Any, report: Any) -> None:
    page.show(report)
    before = pictures(page, "distribution")
    page.run(
        """(() => { const size = document.querySelector("select[name=size]"); size.value = "0B";
        size.dispatchEvent(new Event("change", {bubbles: true})); })()"""
    )
    page.wait("document.body.dataset.drawn === 'yes'")
    assert pictures(page, "distribution") != before


def test_the_controls_are_reached_and_worked_from_the_keyboard(page: Any, report: Any) -> None:
    page.show(report)
    for _ in range(30):
        page.press("Tab")
        if page.run("document.activeElement.name === 'percentile'"):
            break
    before = pictures(page, "increase-over-size")
    page.press("ArrowRight")
    page.wait("document.querySelector('input[value=p75]').checked && document.body.dataset.drawn === 'yes'")
    assert pictures(page, "increase-over-size") != before


def test_a_point_tells_its_numbers(page: Any, report: Any) -> None:
    page.show(report)
    page.run("document.querySelector('#ttlb-over-size').scrollIntoView()")
    x, y = page.run(
        """(() => { const box = document.querySelector("#ttlb-over-size .mark-symbol.role-mark path")
        .getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"""
    )
    page.move(x, y)
    page.wait("document.querySelector('#vg-tooltip-element.visible')")
    told = page.run("document.querySelector('#vg-tooltip-element').innerText")
    assert "TTLB (ms)" in told
    assert "95% interval" in told


@pytest.mark.parametrize("width", [1280, 768, PHONE])
def test_nothing_is_cut_off(page: Any, report: Any, width: Any) -> None:
    page.show(report, width=width)
    assert page.run("document.documentElement.scrollWidth") <= width
    cut = page.run(
        """[...document.querySelectorAll(".chart svg")].flatMap(svg => {
            const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll("text")].filter(text => {
                const box = text.getBoundingClientRect();
                return box.width && (box.left < frame.left - 1 || box.right > frame.right + 1);
            }).map(text => text.textContent);
        })"""
    )
    assert cut == []


def test_the_colours_follow_the_reader(page: Any, report: Any) -> None:
    colours = set()
    for dark in (False, True):
        page.show(report, dark=dark)
        ground = page.run("getComputedStyle(document.body).backgroundColor")
        title = page.run("getComputedStyle(document.querySelector('.chart .role-axis-title text')).fill")
        colours.add((ground, title))
    assert len({ground for ground, _title in colours}) == 2
    assert len({title for _ground, title in colours}) == 2


def test_every_chart_has_a_name_for_screen_readers(page: Any, report: Any) -> None:
    page.show(report)
    names = page.run(
        """[...document.querySelectorAll(".chart svg")].map(
            svg => svg.closest("[role=graphics-document]")?.getAttribute("aria-label"))"""
    )
    assert len(set(names)) == 11
    assert all(names)
    assert page.run('[...document.querySelectorAll("input, select")].every(field => field.labels.length)')


def test_it_prints(page: Any, report: Any, tmp_path: Path) -> None:
    page.show(report)
    page.print(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def rows(page: Any) -> Any:
    return page.run(
        """[...document.querySelectorAll("#cells tbody tr")].filter(row => !row.hidden)
        .map(row => [...row.cells].map(cell => cell.innerText))"""
    )


def test_the_cells_are_sorted_by_a_column_and_filtered_by_words(page: Any, report: Any) -> None:
    page.show(report)
    before = rows(page)
    for turn in ("ascending", "descending"):
        page.run("""document.querySelector("#cells th[data-column='4'] button").focus()""")
        page.press("Enter")
        heads = page.run("[...document.querySelectorAll('#cells th[aria-sort]')].map(head => head.ariaSort)")
        assert heads == [turn]
        times = [float(row[4].split()[0].replace(",", "")) for row in rows(page)]
        assert times == sorted(times, reverse=turn == "descending")
    page.press("Enter")
    assert rows(page) == before
    page.run("document.getElementById('cells-filter').focus()")
    page.type("hybrid 200KiB")
    kept = rows(page)
    assert kept == [row for row in before if row[1] == "200KiB" and row[2] == "hybrid"]
    assert page.run("document.getElementById('cells-count').innerText") == f"{len(kept)} of {len(before)} rows"
    page.run("document.querySelector('#cells th[data-column] button').click()")
    assert sorted(rows(page)) == sorted(kept)


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_is_saved_as_svg_and_png_of_the_light_mode(
    page: Any, report: Any, tmp_path: Path, dark: bool
) -> None:
    page.show(report, dark=dark)
    page.save_to(tmp_path)
    page.run("document.querySelector('input[name=percentile][value=p90]').click()")
    page.wait("document.body.dataset.drawn === 'yes'")
    for kind in ("svg", "png"):
        page.run(f"document.querySelector('#slide [data-save={kind}]').click()")
        page.wait(f"document.body.dataset.saved === 'slide.{kind}'")
    wait_for(lambda: len(list(tmp_path.glob("slide.[sp][vn]g"))) == 2)
    svg = (tmp_path / "slide.svg").read_text()
    root = ET.fromstring(svg)
    assert root.tag.endswith("svg")
    assert page.run("document.querySelector('#slide h4').innerText") in svg
    assert "Increase of TTLB (%)" in svg
    assert PALETTES["light"].page in svg
    assert (tmp_path / "slide.png").read_bytes().startswith(b"\x89PNG")
