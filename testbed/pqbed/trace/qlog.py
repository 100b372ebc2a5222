"""A trace as qlog (draft-ietf-quic-qlog-main-schema), for tools that read logs of transports.

The main schema says what a file, a trace and an event are; it has names for QUIC alone. The events of TCP and TLS are
named after those: `tcp:packet_sent` as `quic:packet_sent`, with the same `raw`. Each end is a vantage point of its own.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pqbed import __version__
from pqbed.trace.flights import ObservedFlight
from pqbed.trace.segments import Segment
from pqbed.trace.take_trace import Trace
from pqbed.units import NS_PER_MS

QLOG_NAME = "trace.qlog"
FILE_SCHEMA = "urn:ietf:params:qlog:file:contained"
# No schema of the IETF has events of TCP and TLS.
EVENT_SCHEMAS = ("urn:x-pqbed:qlog:events:tcp", "urn:x-pqbed:qlog:events:tls")


def to_qlog(trace: Trace) -> bytes:
    """Return the file: one trace for the client, one for the server. Neither keys nor contents are in it."""
    content = {
        "file_schema": FILE_SCHEMA,
        "serialization_format": "application/qlog+json",
        "title": f"pqbed {__version__}: cell {trace.fetch.cell_id}, repetition {trace.fetch.repetition}",
        "description": f"{trace.bed} bed, {trace.clock} clock, kernel {trace.facts.kernel}",
        "traces": [_trace_of(trace, up) for up in (True, False)],
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def _trace_of(trace: Trace, up: bool) -> dict[str, Any]:
    """Return what one end sent and received: `up` is the client."""
    events = sorted((*_packets(trace, up), *_flights(trace, up), *_timers(trace, up)), key=lambda event: event["time"])
    return {
        "title": "client" if up else "server",
        "vantage_point": {"name": "pqbed", "type": "client" if up else "server"},
        "common_fields": {
            "time_format": "relative_to_epoch",
            "reference_time": {"clock_type": "monotonic", "epoch": "unknown"},
            "protocol_types": ["TCP", "TLS1.3"],
        },
        "event_schemas": list(EVENT_SCHEMAS),
        "events": events,
    }


def _event(time_ns: int, name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event; times in ms from the first SYN."""
    return {"time": time_ns / NS_PER_MS, "name": name, "data": dict(data)}


def _packets(trace: Trace, up: bool) -> Iterator[dict[str, Any]]:
    for segment in trace.segments:
        if segment.up == up:
            sent = {**_packet(segment), "is_retransmission": segment.repeated, "fate": segment.fate}
            yield _event(segment.sent_ns, "tcp:packet_sent", sent)
        elif segment.received_ns is not None:
            yield _event(segment.received_ns, "tcp:packet_received", _packet(segment))


def _packet(segment: Segment) -> dict[str, Any]:
    flags = [name for name, there in (("SYN", segment.syn), ("RST", segment.reset)) if there]
    return {
        "header": {"flags": flags, "sequence": segment.number, "acknowledged": segment.acknowledged},
        "raw": {"length": segment.frame_bytes, "payload_length": len(segment.data)},
    }


def _flights(trace: Trace, up: bool) -> Iterator[dict[str, Any]]:
    """Yield when a flight of TLS was sent, and when all of it had arrived."""
    for flight in trace.flights:
        if not flight.messages:  # the handshake of TCP
            continue
        if flight.up == up:
            yield _event(flight.first_sent_ns, "tls:flight_sent", _flight(flight))
        elif flight.received_ns is not None:
            yield _event(flight.received_ns, "tls:flight_received", _flight(flight))


def _flight(flight: ObservedFlight) -> dict[str, Any]:
    return {
        "name": flight.name,
        "messages": list(flight.messages),
        "raw": {"length": flight.wire_bytes, "payload_length": flight.payload_bytes},
        "packets": flight.segments,
    }


def _timers(trace: Trace, up: bool) -> Iterator[dict[str, Any]]:
    for wait in trace.waits:
        if wait.up == up:
            waited = {"event_type": "expired", "delta": wait.length_ns / NS_PER_MS}
            yield _event(wait.end_ns, "tcp:loss_timer_updated", waited)
