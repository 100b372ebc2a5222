"""Flow diagram of a fetch: arrows between client and server, time running downwards, as plain SVG.

Segments too dense to be told apart form one band; the time axis is to scale except for marked cuts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from pqbed.report.theme import FONT, PALETTES, Mode
from pqbed.report.trace.svg import arrow_head, line, text
from pqbed.report.trace.time_scale import CUT_PIXELS, Cut, TimeScale, scale_time
from pqbed.spec.link_sides import delay_of
from pqbed.trace.segments import Segment
from pqbed.trace.summary_json import flight_lines
from pqbed.trace.take_trace import Trace

WIDTH = 980
CLIENT_X, SERVER_X = 330.0, 690.0
TOP, BOTTOM = 58.0, 26.0
_GAP = 12.0
MARK = "●"
# Segments whose arrows are nearer to one another than this are one band.
_DENSE_PIXELS = 16.0
_FEW = 3
_ACKNOWLEDGEMENT_PIXELS = 4.0
_LINE_PIXELS = 16.0
_MOST_LETTERS = 36
# How far a lost segment is drawn.
_LOST_AT = 0.5
_COUNT_AT = 0.78

Colours = Mapping[str, str]
# Pixels from the left, and time in ns.
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Label:
    """Lines of text beside one of the two lines, at `y` or below it if there is no room."""

    client: bool
    y: float
    head: str
    lines: tuple[str, ...] = ()

    @property
    def pixels(self) -> float:
        return _LINE_PIXELS * (1 + len(self.lines)) + 6


def colours_of(mode: Mode) -> Colours:
    """Return the colours of a self-contained drawing."""
    palette = PALETTES[mode]
    return {
        "page": palette.page,
        "ink": palette.ink,
        "quiet": palette.quiet,
        "rule": palette.rule,
        "up": palette.series[0],
        "down": palette.series[2],
        "lost": palette.series[1],
        "again": palette.series[3],
    }


def inherited_colours() -> Colours:
    """Return the colours of a drawing in a page that defines `--flow-*`."""
    return {name: f"var(--flow-{name})" for name in colours_of("light")}


def draw_flow(trace: Trace, colours: Colours) -> str:
    """Return the SVG."""
    scale = scale_time(trace)
    labels = _place([*_flight_labels(trace, scale), *_milestone_labels(trace, scale)])
    lowest = max([TOP + scale.height(scale.end_ns), *(label.y + label.pixels for label in labels)])
    height = lowest + BOTTOM
    title = f"Flow of one fetch: {trace.cell.profile.name}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" role="img" aria-label="{escape(title)}" '
        f'font-family="{escape(FONT)}" font-size="12.5">'
    )
    parts = [
        head,
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="{colours["page"]}"/>',
        *_frame(scale, colours),
        *_acknowledgements(trace, scale, colours),
        *(part for up in (True, False) for part in _direction(trace, scale, colours, up=up)),
        *(part for up in (True, False) for part in _counts(trace, scale, colours, up=up)),
        *_waits(trace, scale, colours),
        *(part for cut in scale.cuts for part in _cut_mark(trace, cut, scale, colours)),
        *(part for label in labels for part in _words(label, colours)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _frame(scale: TimeScale, colours: Colours) -> Iterator[str]:
    bottom = TOP + scale.height(scale.end_ns)
    for x, name in ((CLIENT_X, "Client"), (SERVER_X, "Server")):
        yield text(x, TOP - 22, name, colours["ink"], anchor="middle", weight=600, size=15)
        yield line(x, TOP - 10, x, bottom + 8, colours["quiet"], width=1.4)
    yield text(14, TOP - 22, "ms", colours["quiet"])
    for tick_ns in _ticks(scale):
        y = TOP + scale.height(tick_ns)
        yield line(10, y, CLIENT_X, y, colours["rule"], width=0.7)
        yield text(14, y - 3, f"{tick_ns / 1e6:,.0f}", colours["quiet"], size=11.5)


def _ticks(scale: TimeScale) -> list[int]:
    """Return round times some 60 pixels apart, none in a cut or at its mark."""
    wanted_ns = 60 / scale.pixels_a_ns
    step = next(
        (base * 10**power for power in range(3, 14) for base in (1, 2, 5) if base * 10**power >= wanted_ns), 10**14
    )
    ticks = range(0, scale.end_ns + 1, step)
    marks = [scale.height(cut.begin_ns) + CUT_PIXELS / 2 for cut in scale.cuts]
    return [tick for tick in ticks if all(abs(scale.height(tick) - mark) > CUT_PIXELS for mark in marks)]


def _direction(trace: Trace, scale: TimeScale, colours: Colours, *, up: bool) -> Iterator[str]:
    """Draw what one side sent: bands and arrows of first arrivals, then retransmissions, then lost segments."""
    for some in _bundles(trace, scale, up=up):
        yield from _bundle(some, scale, colours["up" if up else "down"])
    travel_ns = delay_of(trace.cell.link, "client" if up else "server")
    for segment in trace.segments:
        if segment.up != up or not segment.carries:
            continue
        if segment.received_ns is not None:
            travel_ns = segment.received_ns - segment.sent_ns
            if segment.repeated:
                yield from _arrow(segment, scale, colours["again"], dashes="5 3")
        else:
            yield from _broken(segment, scale, colours["lost"], travel_ns)


def _bundles(trace: Trace, scale: TimeScale, *, up: bool) -> list[list[Segment]]:
    """Group segments that arrived without retransmission and whose arrows cannot be told apart."""
    groups: list[list[Segment]] = []
    dense_ns = _DENSE_PIXELS / scale.pixels_a_ns
    for segment in trace.segments:
        if segment.up != up or not segment.carries or segment.fate != "arrived" or segment.repeated:
            continue
        if groups and segment.sent_ns - groups[-1][-1].sent_ns < dense_ns:
            groups[-1].append(segment)
        else:
            groups.append([segment])
    return groups


def _bundle(some: Sequence[Segment], scale: TimeScale, colour: str) -> Iterator[str]:
    if len(some) <= _FEW:
        for segment in some:
            yield from _arrow(segment, scale, colour)
        return
    for pane in scale.panes:
        inside = clip(_corners(some), pane)
        if inside:
            points = " ".join(f"{x:.1f},{TOP + scale.height(round(time_ns)):.1f}" for x, time_ns in inside)
            yield f'<polygon points="{points}" fill="{colour}" fill-opacity="0.15"/>'
    yield from _arrow(some[0], scale, colour)
    yield from _arrow(some[-1], scale, colour)


def _corners(some: Sequence[Segment]) -> list[Point]:
    """Return the corners of a band: first sent, first received, last received, last sent."""
    near, far = _ends(some[0].up)
    came = [segment.received_ns or segment.sent_ns for segment in some]
    return [(near, some[0].sent_ns), (far, min(came)), (far, max(came)), (near, some[-1].sent_ns)]


def _counts(trace: Trace, scale: TimeScale, colours: Colours, *, up: bool) -> Iterator[str]:
    """Write the number of segments on each band, near its receiver: lost ones end before that."""
    for some in _bundles(trace, scale, up=up):
        (near, sent), (far, came), (_, last_came), (_, last_sent) = _corners(some)
        time_ns = round((sent + last_sent) / 2 * (1 - _COUNT_AT) + (came + last_came) / 2 * _COUNT_AT)
        if len(some) > _FEW and not scale.leaves_out(time_ns):
            x, y = near + _COUNT_AT * (far - near), TOP + scale.height(time_ns) + 4
            colour = colours["up" if up else "down"]
            yield text(x, y, f"{len(some)} segments", colour, anchor="middle", weight=600, backed=colours["page"])


def _arrow(segment: Segment, scale: TimeScale, colour: str, dashes: str = "") -> Iterator[str]:
    near, far = _ends(segment.up)
    came_ns = segment.received_ns or segment.sent_ns
    pieces = list(_line_parts((near, segment.sent_ns), (far, came_ns), scale))
    yield from (line(*piece, colour, width=1.5, dashes=dashes) for piece in pieces)
    if pieces and not scale.leaves_out(came_ns):
        yield arrow_head(*pieces[-1], colour)


def _line_parts(start: Point, end: Point, scale: TimeScale) -> Iterator[tuple[float, float, float, float]]:
    """Yield the parts of a straight line outside of cuts, each as start and end in pixels."""
    for begin_ns, end_ns in scale.panes:
        first, last = max(start[1], begin_ns), min(end[1], end_ns)
        if first <= last:
            share = (end[0] - start[0]) / ((end[1] - start[1]) or 1)
            x, x_end = start[0] + (first - start[1]) * share, start[0] + (last - start[1]) * share
            yield x, TOP + scale.height(round(first)), x_end, TOP + scale.height(round(last))


def _broken(segment: Segment, scale: TimeScale, colour: str, travel_ns: int) -> Iterator[str]:
    """Draw an arrow that ends halfway."""
    near, far = _ends(segment.up)
    x_lost, lost_ns = near + _LOST_AT * (far - near), segment.sent_ns + round(_LOST_AT * travel_ns)
    dashes = "" if segment.fate == "lost" else "2 3"
    pieces = list(_line_parts((near, segment.sent_ns), (x_lost, lost_ns), scale))
    yield from (line(*piece, colour, width=1.5, dashes=dashes) for piece in pieces)
    if pieces and segment.fate == "lost":
        *_, x, y = pieces[-1]
        yield from (line(x - 5, y - 5 * slope, x + 5, y + 5 * slope, colour, width=2.4) for slope in (1, -1))


def _acknowledgements(trace: Trace, scale: TimeScale, colours: Colours) -> Iterator[str]:
    """Draw pure acknowledgements: thin, behind everything else, and one of many in a row."""
    last_ns = {True: -1e18, False: -1e18}
    for segment in trace.segments:
        if segment.carries or segment.received_ns is None:
            continue
        if segment.sent_ns - last_ns[segment.up] >= _ACKNOWLEDGEMENT_PIXELS / scale.pixels_a_ns:
            last_ns[segment.up] = segment.sent_ns
            near, far = _ends(segment.up)
            pieces = _line_parts((near, segment.sent_ns), (far, segment.received_ns), scale)
            yield from (line(*piece, colours["quiet"], width=0.6, opacity=0.45) for piece in pieces)


def _waits(trace: Trace, scale: TimeScale, colours: Colours) -> Iterator[str]:
    for wait in trace.waits:
        x = CLIENT_X if wait.up else SERVER_X
        y, y_end = TOP + scale.height(wait.begin_ns), TOP + scale.height(wait.end_ns)
        yield line(x, y, x, y_end, colours["lost"], width=5, opacity=0.5)
        side = 9 if wait.up else -9
        words = f"timer {wait.length_ns / 1e6:,.0f} ms"
        yield text(x + side, y_end - 6, words, colours["lost"], anchor="start" if wait.up else "end")


def _cut_mark(trace: Trace, cut: Cut, scale: TimeScale, colours: Colours) -> Iterator[str]:
    """Cover the middle of a cut with a wavy stripe, and write its length on it."""
    y = TOP + scale.height(cut.begin_ns) + CUT_PIXELS / 2
    waves = range(10, WIDTH - 40, 20)
    for offset in (-5, 5):
        path = f"M10 {y + offset:.1f} " + " ".join("q 5 -6 10 0 q 5 6 10 0" for _ in waves)
        if offset < 0:
            wide = WIDTH - 60
            yield f'<rect x="10" y="{y - 5:.1f}" width="{wide}" height="10" fill="{colours["page"]}"/>'
        yield f'<path d="{path}" fill="none" stroke="{colours["quiet"]}" stroke-width="1"/>'
    left_out = sum(
        cut.begin_ns < segment.sent_ns < (segment.received_ns or segment.sent_ns) < cut.end_ns
        for segment in trace.segments
        if segment.carries
    )
    words = f"{(cut.end_ns - cut.begin_ns) / 1e6:,.0f} ms" + (
        f" and {left_out:,} segments left out" if left_out else ""
    )
    yield text(14, y + 4, words, colours["ink"], size=11.5, backed=colours["page"])


def _flight_labels(trace: Trace, scale: TimeScale) -> Iterator[_Label]:
    for flight in trace.flights:
        lines = _wrapped(", ".join(flight.messages)) if len(flight.messages) > 1 else []
        if flight.payload_bytes or flight.lost or flight.repeated:
            lines += flight_lines(flight)
        yield _Label(client=flight.up, y=TOP + scale.height(flight.first_sent_ns), head=flight.name, lines=tuple(lines))


def _wrapped(text: str) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < _MOST_LETTERS:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _milestone_labels(trace: Trace, scale: TimeScale) -> Iterator[_Label]:
    timings = trace.timings
    reached: dict[str, tuple[int, list[str]]] = {}
    for name, time_ns in (
        ("connected", timings.tcp_connect_ns),
        ("TLS done", timings.tls_done_ns),
        ("first byte", timings.first_byte_ns),
        ("last byte", timings.last_byte_ns),
    ):
        if time_ns is not None:
            reached.setdefault(f"{time_ns / 1e6:,.1f} ms", (time_ns, []))[1].append(name)
    for words, (time_ns, names) in reached.items():
        # Before the flight that it sets off.
        yield _Label(client=True, y=TOP + scale.height(time_ns) - 0.5, head=f"{MARK} {' and '.join(names)} {words}")


def _place(labels: Iterable[_Label]) -> list[_Label]:
    """Move labels down until none overlaps another on its side."""
    free = {True: 0.0, False: 0.0}
    placed = []
    for label in sorted(labels, key=lambda label: label.y):
        y = max(label.y, free[label.client])
        placed.append(_Label(client=label.client, y=y, head=label.head, lines=label.lines))
        free[label.client] = y + label.pixels
    return placed


def _words(label: _Label, colours: Colours) -> Iterator[str]:
    x = CLIENT_X - _GAP if label.client else SERVER_X + _GAP
    anchor = "end" if label.client else "start"
    milestone = label.head.startswith(MARK)
    colour, weight = (colours["quiet"], 400) if milestone else (colours["ink"], 600)
    yield text(x, label.y + 4, label.head, colour, anchor=anchor, weight=weight, backed=colours["page"])
    for number, words in enumerate(label.lines, 1):
        y = label.y + 4 + number * _LINE_PIXELS
        yield text(x, y, words, colours["quiet"], anchor=anchor, backed=colours["page"])


def _ends(up: bool) -> tuple[float, float]:
    return (CLIENT_X, SERVER_X) if up else (SERVER_X, CLIENT_X)


def clip(corners: Sequence[Point], pane: tuple[int, int]) -> list[Point]:
    """Return the part of a convex shape that lies within the times of `pane` (Sutherland and Hodgman, 1974)."""
    kept = list(corners)
    for edge_ns, sign in ((pane[0], 1), (pane[1], -1)):
        before, kept = kept, []
        for (x, time_ns), (x_next, next_ns) in zip(before, (*before[1:], *before[:1]), strict=True):
            inside, next_inside = sign * (time_ns - edge_ns) >= 0, sign * (next_ns - edge_ns) >= 0
            if inside:
                kept.append((x, time_ns))
            if inside != next_inside:
                kept.append((x + (x_next - x) * (edge_ns - time_ns) / (next_ns - time_ns), edge_ns))
    return kept
