from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqbed.errors import StoreError
from pqbed.net.pcap import Frame, read_pcap, write_pcap
from pqbed.trace.segments import Segment, read_segments
from pqbed.trace.timer_waits import find_waits
from support.traces import ACK, STORED, SYN, Sent, captures_of, frame_of, stored_trace
from support.units import MS

OPENED = (
    Sent(up=True, sent_ms=0, came_ms=50, flags=SYN),
    Sent(up=False, sent_ms=50, came_ms=100, acknowledged=0, flags=SYN | ACK),
    Sent(up=True, sent_ms=100, came_ms=150, number=0, acknowledged=0, fingerprint=1),
)


def read(*more: Sent, **options: Any) -> tuple[Segment, ...]:
    return read_segments(*captures_of((*OPENED, *more)), **options)


@given(st.lists(st.tuples(st.integers(0, 2**62), st.binary(max_size=80))))
def test_a_capture_file_is_read_as_it_was_written(frames: list[tuple[int, bytes]]) -> None:
    written = [Frame(time_ns % 2**32 * 10**9 + time_ns % 10**9, data) for time_ns, data in frames]
    assert list(read_pcap(write_pcap(written))) == written


@given(st.integers(1, 200).filter(lambda lost: lost not in (116, 192)))  # whole frames
def test_a_torn_capture_file_is_refused(lost: int) -> None:
    whole = write_pcap([Frame(1, b"x" * 60), Frame(2, b"y" * 100)])
    with pytest.raises(ValueError, match=r"ends within|no pcap"):
        list(read_pcap(whole[:-lost]))


def test_times_count_from_the_syn_and_numbers_from_the_first_byte_over_the_end_of_the_space() -> None:
    found = read(Sent(up=True, sent_ms=100, came_ms=150, number=0, data=b"x" * 20, acknowledged=0, fingerprint=2))
    assert [(one.sent_ns, one.received_ns) for one in found[:2]] == [(0, 50 * MS), (50 * MS, 100 * MS)]
    assert (found[-1].number, found[-1].end, found[-1].acknowledged) == (0, 20, 0)
    assert [one.syn for one in found] == [True, True, False, False]


def test_a_packet_that_a_router_changed_is_the_same_packet() -> None:
    assert {one.fate for one in read()} == {"arrived"}


def test_what_only_the_sender_saw_is_lost_and_what_comes_again_is_named() -> None:
    data: dict[str, Any] = {"number": 0, "data": b"x" * 10, "acknowledged": 0}
    found = read(
        Sent(up=True, sent_ms=100, came_ms=None, fingerprint=2, **data),
        Sent(up=True, sent_ms=400, came_ms=450, fingerprint=3, **data),
    )
    assert [(one.fate, one.repeated) for one in found if one.data] == [("lost", False), ("arrived", True)]


def test_what_was_sent_too_late_to_come_is_not_called_lost() -> None:
    late = Sent(up=True, sent_ms=480, came_ms=None, number=0, data=b"x", acknowledged=0, fingerprint=2)
    ended_ns = frame_of(late, 500).time_ns
    assert read(late, ended_ns=ended_ns, delay_ns=50 * MS)[-1].fate == "under way"
    assert read(late, ended_ns=ended_ns, delay_ns=10 * MS)[-1].fate == "lost"


def test_equal_packets_are_matched_in_their_order() -> None:
    again = [Sent(up=True, sent_ms=ms, came_ms=ms + 50, number=0, acknowledged=0) for ms in (200, 201, 202)]
    came = [one.received_ns for one in read(*again) if one.sent_ns >= 200 * MS]
    assert came == [250 * MS, 251 * MS, 252 * MS]


def test_a_super_packet_arrives_with_the_last_of_its_pieces() -> None:
    whole = Sent(up=False, sent_ms=200, came_ms=None, number=0, data=bytes(range(90)), acknowledged=0, fingerprint=5)
    client, server = captures_of((*OPENED, whole))
    pieces = [
        Sent(up=False, sent_ms=0, came_ms=None, number=start, data=bytes(30), acknowledged=0, fingerprint=5 + start)
        for start in (0, 30, 60)
    ]
    client += [frame_of(piece, 300 + piece.number) for piece in pieces]
    assert read_segments(client, server)[-1].received_ns == 360 * MS
    assert read_segments(client[:-1], server)[-1].fate == "lost"


def test_other_connections_and_other_protocols_are_left_out() -> None:
    client, server = captures_of(OPENED)
    arp = Frame(client[0].time_ns, bytes(12) + b"\x08\x06" + bytes(40))
    foreign = bytearray(client[2].data)
    foreign[34:36] = b"\x00\x07"
    found = read_segments([arp, *client, Frame(client[2].time_ns, bytes(foreign))], server)
    assert len(found) == len(OPENED)


def test_captures_without_a_connection_are_refused() -> None:
    with pytest.raises(StoreError, match="no SYN"):
        read_segments([], [])


def test_only_a_silence_that_a_timer_ended_is_a_wait() -> None:
    data: dict[str, Any] = {"number": 0, "data": b"x" * 10, "acknowledged": 0}
    lost = Sent(up=True, sent_ms=100, came_ms=None, fingerprint=2, **data)
    by_timer = Sent(up=True, sent_ms=400, came_ms=450, fingerprint=3, **data)
    (wait,) = find_waits(read(lost, by_timer))
    assert (wait.up, wait.begin_ns, wait.end_ns) == (True, 100 * MS, 400 * MS)
    heard = Sent(up=False, sent_ms=349, came_ms=399, number=0, acknowledged=0, fingerprint=9)
    assert find_waits(read(lost, heard, by_timer)) == ()


def test_a_stored_trace_is_told_as_it_was() -> None:
    trace = stored_trace()
    assert Counter(one.fate for one in trace.segments) == {"arrived": 34, "lost": 11}
    files = [list(read_pcap((STORED / f"{side}.pcap").read_bytes())) for side in ("client", "server")]
    assert sum(map(len, files)) == 2 * 34 + 11
    told = {
        flight.name: (flight.payload_bytes, flight.segments, flight.repeated, flight.lost) for flight in trace.flights
    }
    assert told == {
        "SYN": (0, 1, 0, 0),
        "SYN-ACK": (0, 1, 0, 0),
        "ClientHello": (1428, 1, 0, 0),
        "server flight": (15860, 12, 1, 1),
        "client Finished": (80, 1, 1, 1),
        "request": (278, 1, 1, 1),
        "response": (4396, 4, 2, 2),
    }
    assert [round(wait.length_ns / MS) for wait in trace.waits] == [57, 412, 608, 644, 640]
    ends = {flight.name: flight.received_ns for flight in trace.flights}
    assert ends["server flight"] == pytest.approx(trace.timings.tls_done_ns, abs=20_000)
    assert ends["response"] == pytest.approx(trace.timings.last_byte_ns, abs=20_000)
