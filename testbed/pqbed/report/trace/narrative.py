"""Narrative of a trace: sentences, facts, and the table of flights."""

from pqbed.model.floor_and_expectation import is_black_hole
from pqbed.report.losing_path import describe_black_hole, describe_middlebox
from pqbed.spec.axis_words import describe_link
from pqbed.trace.flights import ObservedFlight
from pqbed.trace.summary_json import count_segments
from pqbed.trace.take_trace import Trace
from pqbed.units import format_size

COLUMNS = (
    "Flight",
    "From",
    "Bytes",
    "Segments",
    "Retransmitted",
    "Lost",
    "On the wire",
    "First sent",
    "Last sent",
    "First arrived",
    "Complete",
)


def describe_trace(trace: Trace) -> list[str]:
    """Return sentences on the TTLB, the milestones, and what was lost."""
    timings = trace.timings
    what = f"{describe_fetch(trace)} over {describe_link(trace.cell.link, trace.cell.tcp)}"
    if timings.outcome == "ok" and timings.last_byte_ns is not None:
        sentences = [f"Fetching {what} took {_ms(timings.last_byte_ns)} ms."]
    else:
        sentences = [f"Fetching {what} failed: {timings.outcome}: {timings.detail}."]
    if is_black_hole(trace.cell):
        sentences.append(describe_black_hole(trace.cell))
    if box := describe_middlebox(trace.cell):
        sentences.append(box)
    steps = (
        ("TCP connected", timings.tcp_connect_ns),
        ("TLS done", timings.tls_done_ns),
        ("first byte of the response", timings.first_byte_ns),
    )
    reached = [f"{name} after {_ms(time_ns)} ms" for name, time_ns in steps if time_ns is not None]
    if reached:
        sentences.append(f"{'; '.join(reached)[:1].upper()}{'; '.join(reached)[1:]}.")
    up, down = (count_segments(trace.segments, up=up) for up in (True, False))
    lost, again = up["lost"] + down["lost"], up["repeated"] + down["repeated"]
    sentences.append(
        f"The client sent {up['segments']:,} segments and the server {down['segments']:,}; "
        + (f"{lost:,} were lost, {again:,} retransmitted" if lost or again else "none was lost or retransmitted")
        + _waited(trace)
    )
    return sentences


def describe_fetch(trace: Trace) -> str:
    """Return size and profile: `200KiB with pq`."""
    return f"{format_size(trace.cell.workload.size_bytes)} with {trace.cell.profile.name}"


def tabulate_flights(trace: Trace) -> list[tuple[str, ...]]:
    """Return one row of text per flight."""
    return [_row(flight) for flight in trace.flights]


def list_trace_facts(trace: Trace) -> list[tuple[str, str]]:
    """Return bed, software and cell of the trace as (name, value) pairs."""
    return [
        ("Bed", f"{trace.bed}, {trace.clock} clock"),
        ("Kernel", trace.facts.kernel),
        *((f"Version of {name}", version) for name, version in sorted(trace.facts.versions.items())),
        *((f"Artefact {name}", digest) for name, digest in sorted(trace.artefacts.items())),
        ("Link", describe_link(trace.cell.link, trace.cell.tcp)),
        ("Cell", trace.fetch.cell_id),
        ("Repetition", str(trace.fetch.repetition)),
    ]


def _row(flight: ObservedFlight) -> tuple[str, ...]:
    counts = (flight.payload_bytes, flight.segments, flight.repeated, flight.lost, flight.wire_bytes)
    times = (flight.first_sent_ns, flight.last_sent_ns, flight.first_received_ns, flight.received_ns)
    return (
        flight.name,
        "client" if flight.up else "server",
        *(f"{count:,}" for count in counts),
        *("never" if time_ns is None else f"{time_ns / 1e6:,.3f}" for time_ns in times),
    )


def _waited(trace: Trace) -> str:
    if not trace.waits:
        return "."
    count, total_ns = len(trace.waits), sum(wait.length_ns for wait in trace.waits)
    waits = "wait" if count == 1 else "waits"
    return f"; timers ended {count} {waits}, {_ms(total_ns)} ms in total."


def _ms(time_ns: int) -> str:
    return f"{time_ns / 1e6:,.1f}"
