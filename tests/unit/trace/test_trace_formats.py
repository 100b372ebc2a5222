"""qlog and Chrome's trace events, each opened by a reader of the format."""

import json
from collections import Counter
from typing import Any

import cbor2
import pytest
from chrometrace import TraceEvent, TraceEventType
from pycddl import Schema

from pqbed.trace.chrome_trace import to_chrome_trace
from pqbed.trace.qlog import to_qlog
from support.traces import stored_trace

# The definitions of a contained file in draft-ietf-quic-qlog-main-schema, sections 3, 6 and 7.
QLOG = Schema(
    """
    QlogFile = {
        file_schema: text, serialization_format: text, ? title: text, ? description: text,
        ? traces: [+ Trace]
    }
    Trace = {
        ? title: text, ? description: text, ? common_fields: CommonFields, ? vantage_point: VantagePoint,
        event_schemas: [+ text], events: [* Event]
    }
    VantagePoint = { ? name: text, type: VantagePointType, ? flow: VantagePointType }
    VantagePointType = "client" / "server" / "network" / "unknown"
    CommonFields = {
        ? time_format: "relative_to_epoch" / "relative_to_previous_event", ? reference_time: ReferenceTime,
        ? protocol_types: [+ text], ? group_id: text, * text => any
    }
    ReferenceTime = { clock_type: "system" / "monotonic" / text, epoch: text, ? wall_clock_time: text }
    Event = { "time": float64, "name": text, "data": { * text => any }, * text => any }
    """
)


@pytest.fixture(scope="module")
def qlog() -> Any:
    return json.loads(to_qlog(stored_trace()))


@pytest.fixture(scope="module")
def chrome() -> Any:
    return json.loads(to_chrome_trace(stored_trace()))


def test_qlog_is_a_file_of_the_main_schema(qlog: Any) -> None:
    QLOG.validate_cbor(cbor2.dumps(qlog))
    assert qlog["file_schema"] == "urn:ietf:params:qlog:file:contained"
    broken = {**qlog, "traces": [{**qlog["traces"][0], "vantage_point": {"type": "middle"}}]}
    with pytest.raises(Exception, match="middle"):
        QLOG.validate_cbor(cbor2.dumps(broken))


def test_each_end_logs_what_it_sent_and_received_in_order(qlog: Any) -> None:
    trace = stored_trace()
    assert [one["vantage_point"]["type"] for one in qlog["traces"]] == ["client", "server"]
    for up, log in zip((True, False), qlog["traces"], strict=True):
        times = [event["time"] for event in log["events"]]
        assert times == sorted(times)
        counts = Counter(event["name"] for event in log["events"])
        assert counts["tcp:packet_sent"] == sum(segment.up == up for segment in trace.segments)
        arrived = [segment for segment in trace.segments if segment.up != up and segment.received_ns is not None]
        assert counts["tcp:packet_received"] == len(arrived)
        lost = [event for event in log["events"] if event["data"].get("fate") == "lost"]
        assert len(lost) == sum(segment.up == up and segment.fate == "lost" for segment in trace.segments)
        assert counts["tcp:loss_timer_updated"] == sum(wait.up == up for wait in trace.waits)


def test_tls_is_told_by_its_flights(qlog: Any) -> None:
    client, server = (log["events"] for log in qlog["traces"])
    sent = [event["data"]["name"] for event in client if event["name"] == "tls:flight_sent"]
    assert sent[0] == "ClientHello"
    (flight,) = [event for event in server if event["data"].get("name") == "server flight"]
    assert flight["data"]["messages"][0] == "ServerHello"
    observed = next(flight for flight in stored_trace().flights if flight.name == "server flight")
    assert flight["data"]["raw"]["payload_length"] == observed.payload_bytes
    assert flight["time"] == observed.first_sent_ns / 1e6


def test_chrome_events_read_back_by_a_reader_of_the_format(chrome: Any) -> None:
    trace = stored_trace()
    known = [event for event in chrome["traceEvents"] if event["ph"] not in {"b", "e"}]
    events = [TraceEvent.from_dict(dict(event)) for event in known]
    spans = [event for event in events if event.event_type == TraceEventType.COMPLETE]
    phases = [event for event in spans if event.categories == "phases"]
    assert [event.name for event in phases] == ["connect", "TLS", "first byte", "transfer"]
    assert sum(event.duration_us for event in phases) == pytest.approx(trace.timings.last_byte_ns / 1000)
    lost = [event for event in events if event.event_type == TraceEventType.INSTANT]
    assert len(lost) == sum(segment.received_ns is None for segment in trace.segments)


def test_every_packet_begins_and_ends_once_and_its_time_is_that_of_the_link(chrome: Any) -> None:
    trace = stored_trace()
    packets = [event for event in chrome["traceEvents"] if event["ph"] in {"b", "e"} and event["cat"] == "packets"]
    begins = {event["id"]: event["ts"] for event in packets if event["ph"] == "b"}
    ends = {event["id"]: event["ts"] for event in packets if event["ph"] == "e"}
    arrived = [segment for segment in trace.segments if segment.received_ns is not None]
    assert begins.keys() == ends.keys()
    assert len(packets) == 2 * len(arrived)
    took = sorted(ends[name] - begins[name] for name in begins)
    assert took == pytest.approx(sorted((one.received_ns - one.sent_ns) / 1000 for one in arrived))


def test_neither_holds_what_was_sent(qlog: Any, chrome: Any) -> None:
    secret = max((segment.data for segment in stored_trace().segments), key=len)
    for content in (json.dumps(qlog), json.dumps(chrome)):
        assert secret[:16].hex() not in content
