"""Time-sequence diagram, one panel per direction: segments as sent and as received, and acknowledged bytes."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from pqbed.report.figures.figure_panels import Figure, Panel, chart_panel, colour, without_schema_checks, zoom
from pqbed.trace.segments import Segment
from pqbed.trace.take_trace import Trace

SENT, LOST, ARRIVED, AGAIN, ACKED = "sent", "lost", "arrived", "retransmitted", "acknowledged"
LABELS = (SENT, LOST, ARRIVED, AGAIN, ACKED)
HEIGHTS = {False: 380, True: 150}
_COLUMNS: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("ms", "end", "kb", "kb_end"), pl.Float64),
    **dict.fromkeys(("segments", "first", "behind"), pl.Int64),
    **dict.fromkeys(("what", "text"), pl.String),
    "early": pl.Boolean,
}
_TITLES = {False: "Server to client", True: "Client to server"}
# More bars than this cannot be told apart, and Altair accepts only a few thousand rows.
_MOST_BARS = 1500
_NS_PER_MS = 1e6
# Names nearer to one another than this share of the panel would overlap.
_NEAR = 0.1
_BURST_NS = 1_000_000
_READING = (
    "A bar is a segment, as tall as its bytes, when it was sent and when it arrived. The line is what the sender knew "
    "to be acknowledged. Hold Ctrl and turn the wheel to zoom, drag to move, double-click to reset."
)

ChartRow = dict[str, Any]


@without_schema_checks
def draw_time_sequence(trace: Trace) -> Figure:
    """Draw both directions over the same time."""
    last_ms = max(segment.received_ns or segment.sent_ns for segment in trace.segments) / _NS_PER_MS
    panels = tuple(_panel(trace, last_ms, up=up) for up in (False, True))
    longest = max(sum(segment.up == up and bool(segment.data) for segment in trace.segments) for up in (False, True))
    together = _together(longest)
    return Figure(
        name="time-sequence",
        title="Bytes over time",
        summary="Bytes that each side sent, and when they arrived; times from the first SYN.",
        reading=_READING,
        panels=panels,
        notes=(f"Up to {together} consecutive segments are one bar.",) if together > 1 else (),
        wide=True,
    )


def _panel(trace: Trace, last_ms: float, *, up: bool) -> Panel:
    own = [segment for segment in trace.segments if segment.up == up and segment.data]
    back = [segment for segment in trace.segments if segment.up != up]
    x = alt.X(
        "ms:Q",
        title="Time from the first SYN (ms)",
        scale=alt.Scale(domain=[0, last_ms], nice=False, padding=6),
        axis=alt.Axis(grid=False),
    )
    bars = _table(_bars(own), "ms", "kb", "kb_end", "what", "segments", "first", "behind")
    acknowledged = _table(_acknowledged(back), "ms", "kb", "what")
    y_title = "KB sent by the server" if not up else "KB sent by the client"
    most_kb = max((segment.end for segment in own), default=0) / 1000 or 1
    y = alt.Y("kb:Q", title=y_title, scale=alt.Scale(domain=[0, 1.05 * most_kb], nice=False))
    by = colour("what", LABELS, None)
    if up:  # the legend of the panel above is enough
        by = alt.Color("what:N", sort=list(LABELS), scale=alt.Scale(domain=list(LABELS)), legend=None)
    tooltip = [
        alt.Tooltip("what:N", title="Segment"),
        alt.Tooltip("ms:Q", title="ms", format=".3f"),
        alt.Tooltip("first:Q", title="First byte"),
        alt.Tooltip("behind:Q", title="Byte after the last"),
        alt.Tooltip("segments:Q", title="Segments"),
    ]
    layers: list[alt.Chart] = [
        *_waits(trace, x, up=up),
        *_flights(trace, last_ms, x, y, up=up),
        *_milestones(trace, last_ms, named=not up),
        alt.Chart(acknowledged).mark_line(interpolate="step-after", strokeWidth=1.2).encode(x=x, y=y, color=by),
        alt.Chart(bars)
        .transform_filter(alt.datum.what != LOST)
        .mark_rule(strokeWidth=2.4, strokeCap="butt")
        .encode(x=x, y=y, y2=alt.Y2("kb_end:Q"), color=by, tooltip=tooltip)
        .add_params(zoom()),
        alt.Chart(bars)
        .transform_filter(alt.datum.what == LOST)
        .mark_point(shape="cross", size=70, angle=45, opacity=1)
        .encode(x=x, y=y, color=by, tooltip=tooltip),
    ]
    return chart_panel(_TITLES[up], layers, height=HEIGHTS[up])


def _table(rows: Sequence[ChartRow], *columns: str) -> pl.DataFrame:
    """Return rows as a table that has its columns even without rows."""
    return pl.DataFrame(rows, schema={name: _COLUMNS[name] for name in columns})


def _together(count: int) -> int:
    return -(-count // _MOST_BARS)


def _bars(own: Sequence[Segment]) -> list[ChartRow]:
    """Return a bar for each segment as sent and as received; lost ones as points. Of many, several share a bar."""
    rows: list[ChartRow] = []
    plain = [segment for segment in own if segment.fate == "arrived" and not segment.repeated]
    for some in _runs(plain, _together(len(own))):
        rows += [_bar(some, some[0].sent_ns, SENT), _bar(some, some[-1].received_ns or 0, ARRIVED)]
    for segment in own:
        if segment.fate != "arrived" or segment.repeated:
            rows.append(_bar([segment], segment.sent_ns, AGAIN if segment.repeated else SENT))
            if segment.fate == "lost":
                rows.append(_bar([segment], segment.sent_ns, LOST) | {"kb": (segment.number + segment.end) / 2000})
            elif segment.received_ns is not None:
                rows.append(_bar([segment], segment.received_ns, ARRIVED))
    return rows


def _runs(own: Sequence[Segment], most: int) -> list[list[Segment]]:
    """Return `own` in runs of up to `most` segments with consecutive bytes."""
    runs: list[list[Segment]] = []
    for segment in own:
        if runs and len(runs[-1]) < most and runs[-1][-1].end == segment.number:
            runs[-1].append(segment)
        else:
            runs.append([segment])
    return runs


def _bar(some: Sequence[Segment], time_ns: int, what: str) -> ChartRow:
    first, behind = some[0].number, some[-1].end
    return {
        "ms": time_ns / _NS_PER_MS,
        "kb": first / 1000,
        "kb_end": behind / 1000,
        "what": what,
        "segments": len(some),
        "first": first,
        "behind": behind,
    }


def _acknowledged(back: Sequence[Segment]) -> list[ChartRow]:
    """Return the acknowledged bytes that the sender knew of, each time they grew."""
    rows: list[ChartRow] = []
    heard = [(segment.received_ns, segment.acknowledged) for segment in back if segment.received_ns is not None]
    most = 0
    for time_ns, acknowledged in sorted(heard):
        if acknowledged > most or not rows:
            most = max(most, acknowledged)
            rows.append({"ms": time_ns / _NS_PER_MS, "kb": most / 1000, "what": ACKED})
    step = -(-len(rows) // _MOST_BARS) or 1
    return rows[::step]


def _waits(trace: Trace, x: alt.X, *, up: bool) -> list[alt.Chart]:
    rows = [
        {
            "ms": wait.begin_ns / _NS_PER_MS,
            "end": wait.end_ns / _NS_PER_MS,
            "text": f"timer {wait.length_ns / 1e6:,.0f} ms",
        }
        for wait in trace.waits
        if wait.up == up
    ]
    if not rows:
        return []
    base = alt.Chart(_table(rows, "ms", "end", "text"))
    band = base.mark_rect(opacity=0.12).encode(x=x, x2=alt.X2("end:Q"), color=alt.ColorValue("#888888"))
    words = base.mark_text(align="left", dx=4).encode(x=x, y=alt.value(HEIGHTS[up] / 3), text=alt.Text("text:N"))
    return [band, words]


def _flights(trace: Trace, last_ms: float, x: alt.X, y: alt.Y, *, up: bool) -> list[alt.Chart]:
    """Name each flight beside the top of its first burst: on the left, where its sender was silent."""
    rows: list[ChartRow] = []
    for flight in trace.flights:
        if flight.up != up or not flight.payload_bytes:
            continue
        ms = flight.first_sent_ns / _NS_PER_MS
        burst = [
            segment.end
            for segment in trace.segments
            if segment.up == up and segment.sent_ns <= flight.first_sent_ns + _BURST_NS
        ]
        if rows and ms - rows[-1]["ms"] < _NEAR / 4 * last_ms:
            rows[-1] |= {"text": f"{rows[-1]['text']}, {flight.name}", "kb": max(burst) / 1000}
        else:
            rows.append({"ms": ms, "text": flight.name, "kb": max(burst) / 1000})
    base = alt.Chart(_table(rows, "ms", "kb", "text")).encode(x=x, y=y, text=alt.Text("text:N"))
    edge = 2 * _NEAR * last_ms
    left = base.transform_filter(alt.datum.ms >= edge).mark_text(align="right", baseline="top", dx=-6)
    right = base.transform_filter(alt.datum.ms < edge).mark_text(align="left", baseline="bottom", dx=6)
    return [left, right]


def _milestones(trace: Trace, last_ms: float, *, named: bool) -> list[alt.Chart]:
    timings = trace.timings
    reached = {
        "connected": timings.tcp_connect_ns,
        "TLS done": timings.tls_done_ns,
        "first byte": timings.first_byte_ns,
        "last byte": timings.last_byte_ns,
    }
    rows: list[ChartRow] = []
    for name, time_ns in reached.items():
        ms = (time_ns or 0) / _NS_PER_MS
        if rows and ms - rows[-1]["ms"] < _NEAR / 4 * last_ms:
            rows[-1] = {"ms": ms, "text": f"{rows[-1]['text'].rpartition(' ')[0]}, {name} {ms:,.1f}"}
        elif time_ns:
            rows.append({"ms": ms, "text": f"{name} {ms:,.1f}"})
    for row in rows:
        # The bytes run from the lower left to the upper right: names keep to the other corners.
        row["early"] = _sent_until(trace, row["ms"] * _NS_PER_MS) < 0.5
    base = alt.Chart(_table(rows, "ms", "text", "early")).encode(x=alt.X("ms:Q"))
    rule = base.mark_rule(strokeDash=[2, 3], strokeWidth=1)
    if not named:
        return [rule]
    bottom = HEIGHTS[False]
    upper = (
        base.transform_filter(alt.datum.early).mark_text(angle=270, align="right", dx=-4, dy=-7).encode(y=alt.value(0))
    )
    lower = (
        base.transform_filter(~alt.datum.early)
        .mark_text(angle=270, align="left", dx=4, dy=-7)
        .encode(y=alt.value(bottom))
    )
    return [rule, upper.encode(text=alt.Text("text:N")), lower.encode(text=alt.Text("text:N"))]


def _sent_until(trace: Trace, time_ns: float) -> float:
    """Return the share of its bytes that the server had sent."""
    ends = [(segment.sent_ns, segment.end) for segment in trace.segments if not segment.up]
    whole = max((end for _, end in ends), default=0)
    return max((end for sent_ns, end in ends if sent_ns <= time_ns), default=0) / whole if whole > 0 else 0.0
