"""Traces of links in files: CSV with a row a change, and mahimahi's packet deliveries.

CSV: a header with `time` and any of `rate`, `delay` and `loss`, and a row for each change: `0.1s,4.2mbit,35ms,0%`.
Plain numbers are s, Mbit/s, ms and per cent; an empty cell leaves the link its own value. The last row lasts as long as
the one before it.

mahimahi (Netravali et al., ATC 2015): one number a line, the ms at which a packet of 1,504 bytes is delivered.
"""

import csv
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path

from pqbed.errors import SpecError
from pqbed.spec import presets
from pqbed.spec.link_timeline import LinkTrace, TraceStep
from pqbed.spec.name_suggestions import nearest
from pqbed.units import NS_PER_MS, NS_PER_S, parse_duration, parse_percentage, parse_rate

_NONE = "none"
_COLUMNS = ("time", "rate", "delay", "loss")
_HINT = "write a header of time and any of rate, delay, loss, then rows as 0.1s,4.2mbit,35ms,0%"
MOST_BYTES, MOST_STEPS = 4 * 2**20, 10_000
MAHIMAHI_PACKET_BITS = 8 * 1504
# Deliveries are counted over so much time: shorter, and each packet would be a step.
MAHIMAHI_STEP_MS = 100


def trace_names() -> tuple[str, ...]:
    """Return the names of the traces that come with pqbed."""
    return tuple(
        sorted(entry.name.removesuffix(".csv") for entry in _folder().iterdir() if entry.name.endswith(".csv"))
    )


def parse_trace(item: str, bare: bool) -> LinkTrace | None:  # noqa: ARG001 (a file has its own units)
    """Read the name of a trace that comes with pqbed, or the path of a file; `none` is no trace."""
    return None if item == _NONE else _read(item)


def format_trace(trace: LinkTrace | None) -> str:
    """Return the text that `parse_trace` reads back."""
    return _NONE if trace is None else trace.name


def recall_trace(name: str | None) -> LinkTrace | None:
    """Return the trace that a stored row names; without its steps if its file is gone."""
    if name is None or name == _NONE:
        return None
    try:
        return _read(name)
    except SpecError:
        return LinkTrace(name=name, steps=(TraceStep(at_ns=0),), period_ns=NS_PER_S)


@lru_cache(maxsize=64)
def _read(name: str) -> LinkTrace:
    lines = [line.strip() for line in _text(name).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise SpecError(f"{name}: the trace is empty", _HINT)
    steps = _deliveries(name, lines) if all(line.isdigit() for line in lines) else _rows(name, lines)
    if len(steps) > MOST_STEPS:
        raise SpecError(f"{name}: the trace has {len(steps)} changes", f"at most {MOST_STEPS} are read: shorten it")
    last_ns = steps[-1].at_ns
    lasts_ns = last_ns - steps[-2].at_ns if len(steps) > 1 else NS_PER_S
    return LinkTrace(name=name, steps=tuple(steps), period_ns=last_ns + lasts_ns)


def _text(name: str) -> str:
    if name in trace_names():
        return _folder().joinpath(f"{name}.csv").read_text(encoding="utf-8")
    try:
        with Path(name).open(encoding="utf-8") as file:
            text = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        hint = f"give the path of a CSV file, or {nearest(name, trace_names())}"
        raise SpecError(f"the trace {name[:80]!r} cannot be read: {reason}", hint) from None
    if len(text) > MOST_BYTES:
        raise SpecError(f"{name}: the trace has more than {MOST_BYTES} bytes", "shorten it")
    return text


def _folder() -> "resources.abc.Traversable":
    return resources.files(presets).joinpath("traces")


def _rows(name: str, lines: Sequence[str]) -> list[TraceStep]:
    header, *rows = csv.reader(lines)
    columns = [column.strip() for column in header]
    if "time" not in columns or not set(columns) <= set(_COLUMNS) or len(set(columns)) != len(columns) or not rows:
        raise SpecError(f"{name}: its first line is not the header of a trace with rows: {lines[0][:80]!r}", _HINT)
    steps: list[TraceStep] = []
    for row in rows:
        step = _step(name, dict(zip(columns, (cell.strip() for cell in row), strict=False)))
        if (step.at_ns != 0) if not steps else (step.at_ns <= steps[-1].at_ns):
            raise SpecError(f"{name}: times must begin at 0 and grow, and {','.join(row)[:80]!r} does not", _HINT)
        steps.append(step)
    return steps


def _step(name: str, cells: dict[str, str]) -> TraceStep:
    try:
        rate_bps = parse_rate(cells["rate"], bare="mbit") if cells.get("rate") else None
        step = TraceStep(
            at_ns=parse_duration(cells.get("time", ""), bare="s"),
            rate_bps=rate_bps,
            delay_ns=parse_duration(cells["delay"], bare="ms") if cells.get("delay") else None,
            loss_ppm=parse_percentage(cells["loss"], bare="%") if cells.get("loss") else None,
        )
    except SpecError as error:
        raise SpecError(f"{name}: {error.message}", error.hint) from error
    if (rate_bps is not None and rate_bps < 1000) or (step.loss_ppm or 0) > 1_000_000:
        raise SpecError(
            f"{name}: {','.join(cells.values())[:80]!r} is out of range", "give rates from 1kbit, loss to 100%"
        )
    return step


def _deliveries(name: str, lines: Sequence[str]) -> list[TraceStep]:
    """Return the mean rate of each tenth of a second; one without a delivery is joined to the next that has some."""
    times = [int(line) for line in lines]
    if times != sorted(times) or times[-1] < 1:
        raise SpecError(f"{name}: the times of its deliveries do not grow", "give mahimahi's format: a ms a line")
    counts = [0] * -(-max(times[-1], 1) // MAHIMAHI_STEP_MS)
    for time in times:
        counts[max(0, time - 1) // MAHIMAHI_STEP_MS] += 1
    steps, first = list[TraceStep](), 0
    for place, count in enumerate(counts):
        if count:
            length_ms = (place + 1 - first) * MAHIMAHI_STEP_MS
            rate_bps = max(1000, count * MAHIMAHI_PACKET_BITS * 1000 // length_ms)
            steps.append(TraceStep(at_ns=first * MAHIMAHI_STEP_MS * NS_PER_MS, rate_bps=rate_bps))
            first = place + 1
    return steps
