import html.parser
import itertools
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import altair as alt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqbed.report.figure_files import whole_spec
from pqbed.report.trace.flow import clip, colours_of, draw_flow
from pqbed.report.trace.narrative import describe_trace
from pqbed.report.trace.page import build_trace_page, draw_trace
from pqbed.report.trace.time_scale import Cut, TimeScale, scale_time
from pqbed.report.trace.time_sequence import LOST, draw_time_sequence
from pqbed.trace.take_trace import Trace
from support.traces import stored_trace
from support.units import MS

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def trace() -> Trace:
    return stored_trace()


@pytest.fixture(scope="module")
def flow(trace: Trace) -> Element:
    return ET.fromstring(draw_flow(trace, colours_of("light")))


def texts(flow: Element) -> list[str]:
    return [one.text or "" for one in flow.iter(f"{SVG}text")]


def test_every_flight_and_every_wait_is_named_in_the_flow(trace: Trace, flow: Element) -> None:
    said = texts(flow)
    assert {flight.name for flight in trace.flights} <= set(said)
    assert [one for one in said if one.startswith("timer")] == [
        f"timer {wait.length_ns / MS:,.0f} ms" for wait in trace.waits
    ]
    assert any("first byte and last byte 3,588.9 ms" in one for one in said)


def test_every_lost_segment_has_its_cross(trace: Trace, flow: Element) -> None:
    colour = colours_of("light")["lost"]
    strokes = [
        one for one in flow.iter(f"{SVG}line") if one.get("stroke") == colour and one.get("stroke-width") == "2.4"
    ]
    lost = [one for one in trace.segments if one.fate == "lost" and one.carries]
    assert len(strokes) == 2 * len(lost)


def test_no_label_lies_on_another(flow: Element) -> None:
    for anchor in ("start", "end"):
        rows = [
            one
            for one in flow.iter(f"{SVG}text")
            if one.get("text-anchor") == anchor and 300 < float(one.attrib["x"]) < 720
        ]
        heights = sorted(float(one.attrib["y"]) for one in rows if not (one.text or "").startswith("timer"))
        assert all(after - before >= 15 for before, after in itertools.pairwise(heights))


def test_nothing_of_the_flow_is_outside_its_frame(flow: Element) -> None:
    width, height = (float(value) for value in flow.get("viewBox").split()[2:])
    for one in flow.iter(f"{SVG}line"):
        assert 0 <= float(one.attrib["x1"]) <= width
        assert 0 <= float(one.attrib["y2"]) <= height


def test_time_is_to_scale_outside_the_cuts_and_runs_on_within(trace: Trace) -> None:
    scale = scale_time(trace)
    assert len(scale.cuts) == 4
    heights = [scale.height(ms * MS) for ms in range(scale.end_ns // MS)]
    steps = [after - before for before, after in itertools.pairwise(heights)]
    assert min(steps) > 0
    outside = [
        step
        for ms, step in enumerate(steps)
        if not any(c.begin_ns < (ms + 1) * MS and ms * MS < c.end_ns for c in scale.cuts)
    ]
    assert outside == pytest.approx([MS * scale.pixels_a_ns] * len(outside))


@given(
    st.lists(st.tuples(st.floats(0, 900), st.integers(0, 10**9)), min_size=3, max_size=4),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
)
def test_clipping_keeps_within_the_pane(corners: list[tuple[float, int]], one: int, other: int) -> None:
    begin, end = sorted((one, other))
    for _, time_ns in clip(corners, (begin, end)):
        assert begin - 1 <= time_ns <= end + 1


def test_panes_are_what_the_cuts_leave() -> None:
    scale = TimeScale((Cut(10, 20), Cut(30, 40)), 1.0, 50)
    assert scale.panes == ((0, 10), (20, 30), (40, 50))


def test_the_time_sequence_has_a_bar_for_every_segment_that_came(trace: Trace) -> None:
    figure = draw_time_sequence(trace)
    for panel in figure.panels:
        alt.LayerChart.from_dict(panel.spec)
    spec = whole_spec(figure)
    rows = [row for rows in spec["datasets"].values() for row in rows if "behind" in row]
    with_data = [one for one in trace.segments if one.data]
    came = [one for one in with_data if one.received_ns is not None]
    lost = [one for one in with_data if one.fate == "lost"]
    assert sum(row["what"] == "arrived" for row in rows) == len(came)
    assert sum(row["what"] == LOST for row in rows) == len(lost)
    assert sum(row["what"] in ("sent", "retransmitted") for row in rows) == len(with_data)


def test_a_long_trace_is_thinned_and_says_so(trace: Trace) -> None:
    one = next(one for one in trace.segments if one.data and not one.up)
    many = [replace(one, number=1448 * n, sent_ns=n, received_ns=n + MS, data=bytes(1448)) for n in range(9_000)]
    figure = draw_time_sequence(replace(trace, segments=(*trace.segments, *many)))
    assert figure.notes == ("Up to 7 consecutive segments are one bar.",)
    assert all(len(rows) <= 5000 for rows in whole_spec(figure)["datasets"].values())


def test_a_fetch_that_failed_on_its_way_is_drawn_too(trace: Trace) -> None:
    opened = tuple(one for one in trace.segments if one.sent_ns < 150 * MS)
    failed = replace(
        trace,
        segments=opened,
        flights=trace.flights[:2],
        waits=(),
        timings=replace(trace.timings, outcome="timeout", detail="late", last_byte_ns=None, first_byte_ns=None),
    )
    files = draw_trace(failed, "pqbed trace")
    assert "failed: timeout: late" in describe_trace(failed)[0]
    assert files["flow.svg"].startswith(b"<svg")


class Outline(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[Any] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_loads_nothing_and_holds_no_keys(trace: Trace) -> None:
    page = build_trace_page(trace, draw_time_sequence(trace), "pqbed trace --rtt '<1>'")
    tags = Outline(page.partition('<script type="application/json"')[0]).tags
    assert not [attributes for _, attributes in tags if "src" in attributes]
    assert all(attributes["href"].startswith("#") for tag, attributes in tags if tag == "a")
    identities = {attributes["id"] for _, attributes in tags if "id" in attributes}
    assert {attributes["href"][1:] for tag, attributes in tags if tag == "a"} <= identities
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert "&lt;1&gt;" in page
    assert "TRAFFIC_SECRET" not in page
