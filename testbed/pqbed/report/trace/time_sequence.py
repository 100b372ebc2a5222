"""Bytes over time, one panel a direction: each segment when it is sent, when it comes, and what is acknowledged."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from pqbed.report.figures.figure import Figure, Panel, chart_panel, colour, zoom
from pqbed.trace.capture import Trace
from pqbed.trace.segments import Segment

SENT, LOST, ARRIVED, AGAIN, ACKED = "sent", "lost", "arrived", "sent again", "acknowledged"
LABELS = (SENT, LOST, ARRIVED, AGAIN, ACKED)
HEIGHTS = {False: 380, True: 150}
_COLUMNS: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("ms", "end", "kb", "kb_end"), pl.Float64),
    **dict.fromkeys(("segments", "first", "behind"), pl.Int64),
    **dict.fromkeys(("what", "text"), pl.String),
    "early": pl.Boolean,
}
_TITLES = {False: "Server to client", True: "Client to server"}
# More bars than this cannot be told apart, and Altair takes no more rows than a few thousand.
_MOST_BARS = 1500
_NS_PER_MS = 1e6
# Names nearer to one another than this share of the panel would overlap.
_NEAR = 0.1
_BURST_NS = 1_000_000
_READING = (
    "A bar is a segment, as tall as its bytes: where its sender sent it, and where it came. The line is what the "
    "sender had heard acknowledged. Hold Ctrl and turn the wheel to zoom, drag to move, double-click to go back."
)

Row = dict[str, Any]


def draw_time_sequence(trace: Trace) -> Figure:
    """Draw both directions over the same time."""
    last_ms = max(one.received_ns or one.sent_ns for one in trace.segments) / _NS_PER_MS
    panels = tuple(_panel(trace, last_ms, up=up) for up in (False, True))
    longest = max(sum(one.up == up and bool(one.data) for one in trace.segments) for up in (False, True))
    together = _together(longest)
    return Figure(
        name="time-sequence",
        title="Bytes over time",
        summary="What each side sent and when it came; times from the first SYN.",
        reading=_READING,
        panels=panels,
        notes=(f"Up to {together} segments sent one after the other are one bar.",) if together > 1 else (),
        wide=True,
    )


def _panel(trace: Trace, last_ms: float, *, up: bool) -> Panel:
    own = [one for one in trace.segments if one.up == up and one.data]
    back = [one for one in trace.segments if one.up != up]
    x = alt.X(
        "ms:Q",
        title="Time from the first SYN (ms)",
        scale=alt.Scale(domain=[0, last_ms], nice=False, padding=6),
        axis=alt.Axis(grid=False),
    )
    bars = _table(_bars(own), "ms", "kb", "kb_end", "what", "segments", "first", "behind")
    acknowledged = _table(_acknowledged(back), "ms", "kb", "what")
    y_title = "KB sent by the server" if not up else "KB sent by the client"
    most_kb = max((one.end for one in own), default=0) / 1000 or 1
    y = alt.Y("kb:Q", title=y_title, scale=alt.Scale(domain=[0, 1.05 * most_kb], nice=False))
    by = colour("what", LABELS, None)
    if up:  # the legend of the panel above is enough
        by = alt.Color("what:N", sort=list(LABELS), scale=alt.Scale(domain=list(LABELS)), legend=None)
    tooltip = [
        alt.Tooltip("what:N", title="Segment"),
        alt.Tooltip("ms:Q", title="ms", format=".3f"),
        alt.Tooltip("first:Q", title="First byte"),
        alt.Tooltip("behind:Q", title="Behind the last"),
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
        .encode(x=x, y=y, y2="kb_end:Q", color=by, tooltip=tooltip)
        .add_params(zoom()),
        alt.Chart(bars)
        .transform_filter(alt.datum.what == LOST)
        .mark_point(shape="cross", size=70, angle=45, opacity=1)
        .encode(x=x, y=y, color=by, tooltip=tooltip),
    ]
    return chart_panel(_TITLES[up], alt.layer(*layers), height=HEIGHTS[up])


def _table(rows: Sequence[Row], *columns: str) -> pl.DataFrame:
    """Return rows as a table that has its columns even where there are none."""
    return pl.DataFrame(rows, schema={name: _COLUMNS[name] for name in columns})


def _together(count: int) -> int:
    return -(-count // _MOST_BARS)


def _bars(own: Sequence[Segment]) -> list[Row]:
    """Return a bar for each segment sent, and one where it came; lost ones as points. Of many, some are one bar."""
    rows: list[Row] = []
    plain = [one for one in own if one.fate == "arrived" and not one.repeated]
    for some in _runs(plain, _together(len(own))):
        rows += [_bar(some, some[0].sent_ns, SENT), _bar(some, some[-1].received_ns or 0, ARRIVED)]
    for one in own:
        if one.fate != "arrived" or one.repeated:
            rows.append(_bar([one], one.sent_ns, AGAIN if one.repeated else SENT))
            if one.fate == "lost":
                rows.append(_bar([one], one.sent_ns, LOST) | {"kb": (one.number + one.end) / 2000})
            elif one.received_ns is not None:
                rows.append(_bar([one], one.received_ns, ARRIVED))
    return rows


def _runs(own: Sequence[Segment], most: int) -> list[list[Segment]]:
    """Return `own` in runs of up to `most` whose bytes follow one another."""
    runs: list[list[Segment]] = []
    for one in own:
        if runs and len(runs[-1]) < most and runs[-1][-1].end == one.number:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _bar(some: Sequence[Segment], time_ns: int, what: str) -> Row:
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


def _acknowledged(back: Sequence[Segment]) -> list[Row]:
    """Return what the sender had heard acknowledged, each time that it became more."""
    rows: list[Row] = []
    heard = [(one.received_ns, one.acknowledged) for one in back if one.received_ns is not None]
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
    band = base.mark_rect(opacity=0.12).encode(x=x, x2="end:Q", color=alt.ColorValue("#888888"))
    words = base.mark_text(align="left", dx=4).encode(x=x, y=alt.value(HEIGHTS[up] / 3), text="text:N")
    return [band, words]


def _flights(trace: Trace, last_ms: float, x: alt.X, y: alt.Y, *, up: bool) -> list[alt.Chart]:
    """Name each flight beside the top of its first burst: on the left, where its sender had been silent."""
    rows: list[Row] = []
    for flight in trace.flights:
        if flight.up != up or not flight.payload_bytes:
            continue
        ms = flight.first_sent_ns / _NS_PER_MS
        burst = [one.end for one in trace.segments if one.up == up and one.sent_ns <= flight.first_sent_ns + _BURST_NS]
        if rows and ms - rows[-1]["ms"] < _NEAR / 4 * last_ms:
            rows[-1] |= {"text": f"{rows[-1]['text']}, {flight.name}", "kb": max(burst) / 1000}
        else:
            rows.append({"ms": ms, "text": flight.name, "kb": max(burst) / 1000})
    base = alt.Chart(_table(rows, "ms", "kb", "text")).encode(x=x, y=y, text="text:N")
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
    rows: list[Row] = []
    for name, time_ns in reached.items():
        ms = (time_ns or 0) / _NS_PER_MS
        if rows and ms - rows[-1]["ms"] < _NEAR / 4 * last_ms:
            rows[-1] = {"ms": ms, "text": f"{rows[-1]['text'].rpartition(' ')[0]}, {name} {ms:,.1f}"}
        elif time_ns:
            rows.append({"ms": ms, "text": f"{name} {ms:,.1f}"})
    for row in rows:
        # The bytes run from the lower left to the upper right: names keep to the other corners.
        row["early"] = _sent_until(trace, row["ms"] * _NS_PER_MS) < 0.5
    base = alt.Chart(_table(rows, "ms", "text", "early")).encode(x="ms:Q")
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
    return [rule, upper.encode(text="text:N"), lower.encode(text="text:N")]


def _sent_until(trace: Trace, time_ns: float) -> float:
    """Return what share of its bytes the server had sent."""
    ends = [(one.sent_ns, one.end) for one in trace.segments if not one.up]
    whole = max((end for _, end in ends), default=0)
    return max((end for sent_ns, end in ends if sent_ns <= time_ns), default=0) / whole if whole > 0 else 0.0
