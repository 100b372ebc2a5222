"""Explanation of cells, as text with one block of lines per cell, and as JSON."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pqbed.model.difference_breakdown import FLIGHTS, describe_repeats, flight
from pqbed.model.difference_breakdown import milliseconds as difference
from pqbed.model.floor_and_expectation import is_black_hole
from pqbed.model.simulate.endpoint import ExpectedFlight
from pqbed.report.losing_path import describe_black_hole, describe_middlebox
from pqbed.report.varying_axes import split_axes
from pqbed.spec.json_codec import to_json
from pqbed.stats.explain_cells import Explained, LeftOut, Losses, PhaseTime
from pqbed.stats.tcp_info_summary import COUNTS
from pqbed.units import NS_PER_MS, format_size
from pqbed_cli.render.below_floor import floor_lines
from pqbed_cli.render.number_format import NONE, milliseconds
from pqbed_cli.render.remedies import advise
from pqbed_cli.render.streams import echo, note, print_json
from pqbed_cli.workflow_results import Explanation

PHASE_WORDS = {
    "connect": "connect",
    "hello_retry": "HelloRetryRequest",
    "tls": "TLS",
    "first_byte": "first byte",
    "transfer": "transfer",
}
# Less than this share of a round trip is not shown.
LEAST_EXTRA_RTTS = 0.05


def print_explanation(explanation: Explanation, *, json_output: bool) -> None:
    """Print all cells, and those with samples below their floor as errors."""
    lines = floor_lines(explanation.below_floor)
    if json_output:
        cells = [to_program(cell) for cell in explanation.cells]
        advice = {link.helped["cell_id"]: advise(link) for link in explanation.remedies}
        left_out = to_json(explanation.left_out)
        print_json({"run": str(explanation.run), "cells": cells, "left_out": left_out, "would_help": advice})
        for line in lines:
            note(line)
        return
    helping = [line for link in explanation.remedies for line in ("", f"what would help: {advise(link)}")]
    echo("\n".join([*explained_lines(explanation.cells), *left_out_lines(explanation.left_out), *helping, *lines]))


def explained_lines(explained: Sequence[Explained]) -> list[str]:
    """Return the lines of all cells; common conditions come first."""
    axes = split_axes([cell.row for cell in explained])
    lines = [f"all with {', '.join(axes.common)}"] if axes.common else []
    for cell in explained:
        where = axes.title(cell.row)
        size = format_size(cell.cell.workload.size_bytes)
        lines += [
            "",
            f"{cell.cell.profile.name} {size}{', ' + where if where else ''}  [{cell.cell_id}]",
            *_block(cell),
        ]
    return lines


def left_out_lines(left_out: Sequence[LeftOut]) -> list[str]:
    """Return a line for each profile that cannot be explained, after an empty one."""
    counts = Counter((cell.profile, cell.reason) for cell in left_out)
    lines = [
        f"left out: {count} cell{'s' if count > 1 else ''} of {profile}: {reason}"
        for (profile, reason), count in counts.items()
    ]
    return ["", *lines] if lines else []


def to_program(cell: Explained) -> dict[str, Any]:
    """Return a cell's explanation as JSON types."""
    breakdown = cell.breakdown
    return {
        "cell_id": cell.cell_id,
        "profile": cell.cell.profile.name,
        "baseline": cell.baseline,
        "cell": to_json(cell.cell),
        "samples": cell.samples,
        "failed": cell.failed,
        "p50_ns": cell.p50_ns,
        "baseline_p50_ns": cell.baseline_p50_ns,
        "expected": to_json(cell.expected),
        "unknown": list(cell.unknown),
        "floor_ns": cell.floor_ns,
        "account": None if breakdown is None else {**to_json(breakdown), "text": breakdown.text},
        "phases": to_json(cell.phases),
        "losses": to_json(cell.losses),
        "dropped": list(cell.dropped),
        "tcp_info": dict(cell.tcp_info),
        "link_deviations": cell.row.get("link_deviations"),
        "below_floor": [below._asdict() for below in cell.below],
    }


def _block(cell: Explained) -> list[str]:
    failed = f", {cell.failed} failed" if cell.failed else ""
    lossy = " without loss" if cell.losses else ""
    summary = (
        f"  measured p50 {_ms(cell.p50_ns)}, expected{lossy} {_ms(cell.expected.last_byte_ns)}, "
        f"floor {_ms(cell.floor_ns)}; {cell.samples} samples{failed}"
    )
    wrong = [f"  wrong link: {cell.row['link_deviations']}"] if cell.row.get("link_wrong") else []
    lines = [summary, *wrong, *(f"  the expectation does not model {unknown}" for unknown in cell.unknown)]
    lines += [f"  {cell.breakdown.text}"] if cell.breakdown is not None else []
    lines += _measured_difference(cell)
    flights = ((label, flight(cell.expected, name)) for name, label, _ in FLIGHTS)
    lines += [f"    {_flight_line(label, own)}" for label, own in flights if own.segments]
    if repeats := describe_repeats(cell.expected):
        lines.append(f"    spurious retransmissions: {repeats}; timers fire before the answer can come")
    lines += [_phases_line(cell.phases)] if cell.samples else []
    lines += [f"  {describe_black_hole(cell.cell)}"] if is_black_hole(cell.cell) else []
    lines += [f"  {box}"] if (box := describe_middlebox(cell.cell)) else []
    lines += _drop_lines(cell)
    lines += _loss_lines(cell.losses) if cell.losses else []
    return [*lines, *_tcp_info_lines(cell)]


def _measured_difference(cell: Explained) -> list[str]:
    if cell.p50_ns is None or cell.baseline_p50_ns is None:
        return []
    more_ns = cell.p50_ns - cell.baseline_p50_ns
    line = f"  measured against {cell.baseline}: {difference(round(more_ns))}"
    if cell.losses and cell.breakdown is not None:
        line += f", of which loss {difference(round(more_ns - cell.breakdown.difference_ns))}"
    return [line]


def _flight_line(label: str, sent: ExpectedFlight) -> str:
    segments = f"{sent.segments} segment{'s' if sent.segments > 1 else ''}"
    rounds = f"{sent.rounds} window{'s' if sent.rounds > 1 else ''} from {sent.window}"
    return (
        f"{label}: {sent.payload_bytes:,} bytes, {segments}, {rounds}, "
        f"{milliseconds(sent.serial_ns)} ms to send, {milliseconds(sent.waited_ns)} ms of waiting"
    )


def _phases_line(phases: Sequence[PhaseTime]) -> str:
    return f"  phases at p50: {', '.join(map(_phase_text, phases))}"


def _phase_text(phase: PhaseTime) -> str:
    beyond = phase.extra_rtts is not None and abs(phase.extra_rtts) >= LEAST_EXTRA_RTTS
    extra = f" ({phase.extra_rtts:+.1f} RTT beyond the expected)" if beyond else ""
    return f"{PHASE_WORDS[phase.phase]} {_ms(phase.p50_ns)}{extra}"


def _drop_lines(cell: Explained) -> list[str]:
    """Name the packets that were dropped and what that cost, all together where there are several."""
    if not cell.dropped:
        return []
    cost_ns = None if cell.losses is None else cell.losses.cost_p50_ns
    cost = "no fetch ended" if cost_ns is None else f"{round(cost_ns / NS_PER_MS):+,} ms"
    return [f"  dropped {', '.join(cell.dropped)}: {cost}"]


def _loss_lines(losses: Losses) -> list[str]:
    costs = ((50, losses.cost_p50_ns), (90, losses.cost_p90_ns))
    prices = ", ".join(f"{'unknown' if cost is None else difference(round(cost))} at p{share}" for share, cost in costs)
    syns = ", ".join(f"{count} lost {number} SYN{'s' if number > 1 else ''}" for number, count in losses.lost_syns)
    waits = ", ".join(f"{PHASE_WORDS[phase]} {count}" for phase, count in losses.stalls.items())
    late = sum(count for _, count in losses.lost_syns)
    return [
        f"  what loss costs: {prices}",
        f"    {late} of {losses.connected} connects took a second or more longer{f': {syns}' if syns else ''}",
        f"    a time-out longer than expected: {waits}; sent the ClientHello again: {losses.hello_again}",
        f"    neither of these: {losses.untouched}; given up at the time limit: {losses.gave_up}",
    ]


def _tcp_info_lines(cell: Explained) -> list[str]:
    """Return the TCP_INFO of the client if the link is lossy or something was retransmitted, lost or dropped."""
    counted = {name: cell.tcp_info.get(f"{name}_p50") for name in COUNTS}
    eventful = any(cell.tcp_info.get(f"{name}_p90") for name in COUNTS if name != "cwnd")
    if not (cell.losses or eventful) or all(value is None for value in counted.values()):
        return []
    shown = [
        f"{name.replace('_', ' ')} {_count(value)}, {_count(cell.tcp_info[f'{name}_p90'])}"
        for name, value in counted.items()
        if value is not None
    ]
    return [f"  TCP of the client (p50, p90): {'; '.join(shown)}"]


def _count(value: float | None) -> str:
    return NONE if value is None else f"{round(value, 1):g}"


def _ms(value_ns: float | None) -> str:
    return f"{milliseconds(value_ns, 'none')} ms"
