"""An explanation in words: a block of lines a cell."""

from collections.abc import Sequence
from typing import Any

from pqbed.expect.account import FLIGHTS, flight
from pqbed.expect.account import milliseconds as difference
from pqbed.expect.end import Flight
from pqbed.report.axes import split_axes
from pqbed.spec.codec import to_json
from pqbed.stats.explain import BelowFloor, Explained, Losses
from pqbed.units import format_size
from pqbed_cli.render.numbers import NONE, milliseconds


def explained_lines(explained: Sequence[Explained]) -> list[str]:
    """Return the lines of all cells; what they share is said once."""
    axes = split_axes([one.row for one in explained])
    lines = [f"all with {', '.join(axes.common)}"] if axes.common else []
    for one in explained:
        where = axes.title(one.row)
        size = format_size(one.cell.workload.size_bytes)
        lines += ["", f"{one.cell.profile.name} {size}{', ' + where if where else ''}  [{one.cell_id}]", *_block(one)]
    return lines


def below_line(sample: BelowFloor) -> str:
    """Name a sample that is faster than physics allows."""
    what = {"last_byte_ns": "last byte", "tls_done_ns": "end of the handshake"}[sample.milestone]
    return (
        f"sample {sample.repetition} of cell {sample.cell_id} is below the floor: its {what} came after "
        f"{milliseconds(sample.measured_ns)} ms, and cannot before {milliseconds(sample.floor_ns)} ms"
    )


def to_program(one: Explained) -> dict[str, Any]:
    """Return a cell's explanation as JSON types."""
    account = one.account
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
        "caveats": list(one.caveats),
        "floor_ns": one.floor_ns,
        "account": None if account is None else {**to_json(account), "text": account.text},
        "losses": to_json(one.losses),
        "below_floor": to_json(one.below),
    }


def _block(one: Explained) -> list[str]:
    failed = f", {one.failed} failed" if one.failed else ""
    lossy = " without loss" if one.losses else ""
    told = (
        f"  measured p50 {_ms(one.p50_ns)}, expected{lossy} {_ms(one.expected.last_byte_ns)}, "
        f"floor {_ms(one.floor_ns)}; {one.samples} samples{failed}"
    )
    lines = [told, *(f"  the expectation does not know about {caveat}" for caveat in one.caveats)]
    if one.account is not None:
        lines.append(f"  {one.account.text}")
        lines += _measured_difference(one)
    lines += [f"    {_flight_line(label, flight(one.expected, name))}" for name, label, _ in FLIGHTS]
    return [*lines, *([_loss_line(one.losses)] if one.losses else [])]


def _measured_difference(one: Explained) -> list[str]:
    if one.p50_ns is None or one.baseline_p50_ns is None:
        return []
    return [f"  measured against {one.baseline}: {difference(round(one.p50_ns - one.baseline_p50_ns))}"]


def _flight_line(label: str, one: Flight) -> str:
    segments = f"{one.segments} segment{'s' if one.segments > 1 else ''}"
    rounds = f"{one.rounds} window{'s' if one.rounds > 1 else ''} from {one.window}"
    return (
        f"{label}: {one.payload_bytes:,} bytes, {segments}, {rounds}, "
        f"{milliseconds(one.serial_ns)} ms to send, {milliseconds(one.waited_ns)} ms of waiting"
    )


def _loss_line(losses: Losses) -> str:
    return (
        f"  loss: {losses.lost_syns} of {losses.connected} connects took 1 s or more longer (a lost SYN); "
        f"the client's retransmissions p50 {_count(losses.retransmits_p50)}, p90 {_count(losses.retransmits_p90)}; "
        f"{losses.timeouts} time-outs"
    )


def _count(value: float | None) -> str:
    return NONE if value is None else f"{value:g}"


def _ms(value_ns: float | None) -> str:
    return f"{milliseconds(value_ns, 'none')} ms"
