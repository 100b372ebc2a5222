"""Explanation of cells as text: one block of lines per cell."""

from collections.abc import Sequence
from typing import Any

from pqbed.model.breakdown import FLIGHTS, flight
from pqbed.model.breakdown import milliseconds as difference
from pqbed.model.simulate.endpoint import ExpectedFlight
from pqbed.report.axes import split_axes
from pqbed.spec.codec import to_json
from pqbed.stats.explain import Explained, Losses, PhaseTime
from pqbed.stats.tcp_info import COUNTS
from pqbed.units import format_size
from pqbed_cli.render.numbers import NONE, milliseconds

PHASE_WORDS = {"connect": "connect", "tls": "TLS", "first_byte": "first byte", "transfer": "transfer"}
# Less than this share of a round trip is not shown.
LEAST_EXTRA_RTTS = 0.05


def explained_lines(explained: Sequence[Explained]) -> list[str]:
    """Return the lines of all cells; common conditions come first."""
    axes = split_axes([one.row for one in explained])
    lines = [f"all with {', '.join(axes.common)}"] if axes.common else []
    for one in explained:
        where = axes.title(one.row)
        size = format_size(one.cell.workload.size_bytes)
        lines += ["", f"{one.cell.profile.name} {size}{', ' + where if where else ''}  [{one.cell_id}]", *_block(one)]
    return lines


def to_program(one: Explained) -> dict[str, Any]:
    """Return a cell's explanation as JSON types."""
    breakdown = one.breakdown
    return {
        "cell_id": one.cell_id,
        "profile": one.cell.profile.name,
        "baseline": one.baseline,
        "cell": to_json(one.cell),
        "samples": one.samples,
        "failed": one.failed,
        "p50_ns": one.p50_ns,
        "baseline_p50_ns": one.baseline_p50_ns,
        "expected": to_json(one.expected),
        "unknown": list(one.unknown),
        "floor_ns": one.floor_ns,
        "account": None if breakdown is None else {**to_json(breakdown), "text": breakdown.text},
        "phases": to_json(one.phases),
        "losses": to_json(one.losses),
        "tcp_info": dict(one.tcp_info),
        "link_deviations": one.row.get("link_deviations"),
        "below_floor": [below._asdict() for below in one.below],
    }


def _block(one: Explained) -> list[str]:
    failed = f", {one.failed} failed" if one.failed else ""
    lossy = " without loss" if one.losses else ""
    summary = (
        f"  measured p50 {_ms(one.p50_ns)}, expected{lossy} {_ms(one.expected.last_byte_ns)}, "
        f"floor {_ms(one.floor_ns)}; {one.samples} samples{failed}"
    )
    wrong = [f"  wrong link: {one.row['link_deviations']}"] if one.row.get("link_wrong") else []
    lines = [summary, *wrong, *(f"  the expectation does not model {unknown}" for unknown in one.unknown)]
    if one.breakdown is not None:
        lines.append(f"  {one.breakdown.text}")
        lines += _measured_difference(one)
    lines += [f"    {_flight_line(label, flight(one.expected, name))}" for name, label, _ in FLIGHTS]
    lines += [_phases_line(one.phases)] if one.samples else []
    lines += _loss_lines(one.losses) if one.losses else []
    return [*lines, *_tcp_info_lines(one)]


def _measured_difference(one: Explained) -> list[str]:
    if one.p50_ns is None or one.baseline_p50_ns is None:
        return []
    more_ns = one.p50_ns - one.baseline_p50_ns
    line = f"  measured against {one.baseline}: {difference(round(more_ns))}"
    if one.losses and one.breakdown is not None:
        line += f", of which loss {difference(round(more_ns - one.breakdown.difference_ns))}"
    return [line]


def _flight_line(label: str, one: ExpectedFlight) -> str:
    segments = f"{one.segments} segment{'s' if one.segments > 1 else ''}"
    rounds = f"{one.rounds} window{'s' if one.rounds > 1 else ''} from {one.window}"
    return (
        f"{label}: {one.payload_bytes:,} bytes, {segments}, {rounds}, "
        f"{milliseconds(one.serial_ns)} ms to send, {milliseconds(one.waited_ns)} ms of waiting"
    )


def _phases_line(phases: Sequence[PhaseTime]) -> str:
    return f"  phases at p50: {', '.join(map(_phase_text, phases))}"


def _phase_text(one: PhaseTime) -> str:
    beyond = one.extra_rtts is not None and abs(one.extra_rtts) >= LEAST_EXTRA_RTTS
    extra = f" ({one.extra_rtts:+.1f} RTT beyond the expected)" if beyond else ""
    return f"{PHASE_WORDS[one.phase]} {_ms(one.p50_ns)}{extra}"


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


def _tcp_info_lines(one: Explained) -> list[str]:
    """Return the TCP_INFO of the client if the link is lossy or something was retransmitted, lost or dropped."""
    counted = {name: one.tcp_info.get(f"{name}_p50") for name in COUNTS}
    eventful = any(one.tcp_info.get(f"{name}_p90") for name in COUNTS if name != "cwnd")
    if not (one.losses or eventful) or all(value is None for value in counted.values()):
        return []
    shown = [
        f"{name.replace('_', ' ')} {_count(value)}, {_count(one.tcp_info[f'{name}_p90'])}"
        for name, value in counted.items()
        if value is not None
    ]
    return [f"  TCP of the client (p50, p90): {'; '.join(shown)}"]


def _count(value: float | None) -> str:
    return NONE if value is None else f"{round(value, 1):g}"


def _ms(value_ns: float | None) -> str:
    return f"{milliseconds(value_ns, 'none')} ms"
