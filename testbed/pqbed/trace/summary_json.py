"""trace.json: settings, software and numbers of a trace. No keys, no contents."""

from collections.abc import Sequence
from typing import Any

from pqbed import __version__
from pqbed.spec.json_codec import to_json
from pqbed.store.manifest import utc_now
from pqbed.trace.flights import ObservedFlight
from pqbed.trace.segments import Segment
from pqbed.trace.take_trace import Trace

TRACE_ID = "pqbed.trace/1"


def trace_summary(trace: Trace, command: Sequence[str], run_again: str) -> dict[str, Any]:
    """Return `trace` as JSON types; all times in ns from the first SYN."""
    return {
        "schema": TRACE_ID,
        "pqbed": __version__,
        "taken": utc_now(),
        "command": list(command),
        "run_again": run_again,
        "bed": trace.bed,
        "clock": trace.clock,
        "kernel": trace.facts.kernel,
        "versions": trace.facts.versions,
        "artefacts": dict(trace.artefacts),
        "cell_id": trace.fetch.cell_id,
        "cell": to_json(trace.cell),
        "repetition": trace.fetch.repetition,
        "seed": trace.fetch.seed,
        "timings": to_json(trace.timings),
        "flights": [{**to_json(flight), "payload_bytes": flight.payload_bytes} for flight in trace.flights],
        "waits": to_json(trace.waits),
        "up": count_segments(trace.segments, up=True),
        "down": count_segments(trace.segments, up=False),
    }


def count_segments(segments: Sequence[Segment], *, up: bool) -> dict[str, int]:
    """Count what one side sent."""
    own = [segment for segment in segments if segment.up == up]
    return {
        "segments": len(own),
        "with_data": sum(bool(segment.data) for segment in own),
        "repeated": sum(segment.repeated for segment in own),
        "lost": sum(segment.fate == "lost" for segment in own),
        "payload_bytes": sum(len(segment.data) for segment in own),
        "wire_bytes": sum(segment.frame_bytes for segment in own),
    }


def flight_lines(flight: ObservedFlight) -> tuple[str, ...]:
    """Return the size of a flight as text, and its losses: `15,860 bytes in 12 segments`, `1 lost`."""
    segments = f"{flight.segments:,} segment{'s' if flight.segments > 1 else ''}"
    size = f"{flight.payload_bytes:,} bytes in {segments}" if flight.payload_bytes else segments
    lost = [f"{flight.lost} lost"] if flight.lost else []
    again = [f"{flight.repeated} retransmitted"] if flight.repeated else []
    return (size, ", ".join((*lost, *again))) if lost or again else (size,)
