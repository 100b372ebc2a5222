"""The page of a trace in headless Chromium: it draws, asks nothing of a network, and is read on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest

from pqbed.report.trace.page import build_trace_page
from pqbed.report.trace.time_sequence import draw_time_sequence
from support.chromium import Page, find_chromium
from support.traces import stored_trace

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def trace_page(tmp_path_factory: pytest.TempPathFactory) -> Any:
    trace = stored_trace()
    path = tmp_path_factory.mktemp("trace") / "trace.html"
    path.write_text(build_trace_page(trace, draw_time_sequence(trace), "pqbed trace"))
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium on this host: apt-get install chromium")
    with Page(program) as page:
        yield page


@pytest.mark.parametrize("width", [1280, 390])
def test_both_pictures_are_drawn_in_the_reader_s_colours(browser: Any, trace_page: Any, width: Any) -> None:
    grounds, marks = set(), []
    for dark in (False, True):
        browser.show(trace_page, width=width, dark=dark)
        grounds.add(browser.run("getComputedStyle(document.querySelector('svg.flow rect')).fill"))
        marks.append(browser.run("document.querySelectorAll('.chart .mark-rule line').length"))
        assert browser.run("document.documentElement.scrollWidth") <= width
    assert len(grounds) == 2
    assert min(marks) > 20
    assert set(browser.requests) <= {trace_page.resolve().as_uri(), "data:,"}
    assert browser.complaints == []
