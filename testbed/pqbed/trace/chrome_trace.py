"""A trace in Chrome's trace event format, which Perfetto and chrome://tracing open.

Client and server are processes; packets, flights, timers and the phases of the client are threads of them. A packet
lasts from when it was sent to when it arrived, on the side of its sender.
"""

import json
from collections.abc import Iterator
from typing import Any

from pqbed.trace.flights import ObservedFlight
from pqbed.trace.segments import Segment
from pqbed.trace.take_trace import Trace
from pqbed.units import format_size

CHROME_TRACE_NAME = "trace.perfetto.json"
_NS_PER_US = 1_000
CLIENT, SERVER = 1, 2
THREADS = {1: "phases", 2: "flights", 3: "timers", 4: "packets"}
PHASES, FLIGHTS, TIMERS, PACKETS = THREADS


def to_chrome_trace(trace: Trace) -> bytes:
    """Return the file. Neither keys nor contents are in it."""
    events = [*_names(), *_phases(trace), *_flights(trace), *_timers(trace), *_packets(trace)]
    content = {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {"cell_id": trace.fetch.cell_id, "repetition": trace.fetch.repetition, "bed": trace.bed},
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def _names() -> Iterator[dict[str, Any]]:
    for process, name in ((CLIENT, "client"), (SERVER, "server")):
        yield {"ph": "M", "name": "process_name", "pid": process, "ts": 0, "args": {"name": name}}
        for thread, title in THREADS.items():
            if thread != PHASES or process == CLIENT:
                named = {"ph": "M", "name": "thread_name", "pid": process, "tid": thread, "ts": 0}
                yield {**named, "args": {"name": title}}


def _phases(trace: Trace) -> Iterator[dict[str, Any]]:
    timings = trace.timings
    ends = {
        "connect": timings.tcp_connect_ns,
        "TLS": timings.tls_done_ns,
        "first byte": timings.first_byte_ns,
        "transfer": timings.last_byte_ns,
    }
    known = {name: end for name, end in ends.items() if end is not None}
    for (name, end_ns), start_ns in zip(known.items(), (0, *known.values()), strict=False):
        yield _span(CLIENT, PHASES, name, (start_ns, end_ns))


def _flights(trace: Trace) -> Iterator[dict[str, Any]]:
    for flight in trace.flights:
        last_ns = flight.last_sent_ns if flight.received_ns is None else flight.received_ns
        yield from _async(_process(flight.up), FLIGHTS, flight.name, (flight.first_sent_ns, last_ns), _of(flight))


def _of(flight: ObservedFlight) -> dict[str, Any]:
    return {
        "messages": ", ".join(flight.messages),
        "bytes": flight.payload_bytes,
        "segments": flight.segments,
        "lost": flight.lost,
    }


def _timers(trace: Trace) -> Iterator[dict[str, Any]]:
    for wait in trace.waits:
        yield _span(_process(wait.up), TIMERS, "retransmission timer", (wait.begin_ns, wait.end_ns))


def _packets(trace: Trace) -> Iterator[dict[str, Any]]:
    for segment in trace.segments:
        process, name = _process(segment.up), _word(segment)
        told = {"number": segment.number, "acknowledged": segment.acknowledged, "frame_bytes": segment.frame_bytes}
        if segment.received_ns is None:
            lost = {"ph": "I", "s": "t", "name": f"{name}, {segment.fate}", "cat": "packet", "pid": process}
            yield {**lost, "tid": PACKETS, "ts": segment.sent_ns / _NS_PER_US, "args": told}
        else:
            yield from _async(process, PACKETS, name, (segment.sent_ns, segment.received_ns), told)


def _word(segment: Segment) -> str:
    kind = "SYN" if segment.syn else format_size(len(segment.data)) if segment.data else "ACK"
    return f"{kind} again" if segment.repeated else kind


def _span(process: int, thread: int, name: str, times_ns: tuple[int, int]) -> dict[str, Any]:
    start_ns, end_ns = times_ns
    times = {"ts": start_ns / _NS_PER_US, "dur": (end_ns - start_ns) / _NS_PER_US}
    return {"ph": "X", "name": name, "cat": THREADS[thread], "pid": process, "tid": thread, **times, "args": {}}


def _async(
    process: int, thread: int, name: str, times_ns: tuple[int, int], told: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the begin and the end of what may overlap its neighbours, told apart by an id."""
    start_ns, end_ns = times_ns
    named = {"name": name, "cat": THREADS[thread], "pid": process, "tid": thread}
    identity = f"{process}.{thread}.{start_ns}.{told.get('number', name)}"
    yield {"ph": "b", "id": identity, **named, "ts": start_ns / _NS_PER_US, "args": told}
    yield {"ph": "e", "id": identity, **named, "ts": end_ns / _NS_PER_US, "args": {}}


def _process(up: bool) -> int:
    return CLIENT if up else SERVER
