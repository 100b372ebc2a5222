"""A traced fetch in virtual time: the captures against the sample, the expectation, and the keys."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from pqbed.agent.fetch_trace import Traced
from pqbed.beds.bed_interface import Lane
from pqbed.beds.choose_bed import choose_bed
from pqbed.model.frames import FRAME_OVERHEAD_BYTES, segment_count, wire_bytes
from pqbed.model.simulate.connection import simulate_fetch
from pqbed.model.tls_exchange import exchange_of
from pqbed.net.pcap import read_pcap
from pqbed.plan import cell_id
from pqbed.spec.builtin_profiles import builtin_profiles
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link, RandomLoss, Segmentation
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from pqbed.tls.tls_records import walk_records
from pqbed.trace.flights import ObservedFlight, find_flights
from pqbed.trace.packets import SYN, tcp_packets
from pqbed.trace.segments import Segment, read_segments
from pqbed.trace.timer_waits import find_waits
from support.units import KIB, MS

pytestmark = pytest.mark.uml

TCP = Tcp(initcwnd_server=20, initcwnd_client=20)
LINK = Link(rtt_ns=200 * MS, bandwidth_bps=1_000_000)
LOSSY = replace(LINK, loss=RandomLoss(probability_ppm=30_000))
SEED = 0x9E3779B97F4A7C15
# libcurl counts in microseconds, and starts its clock before it makes the socket.
CLOCK_NS = 20_000
SECRETS = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "EXPORTER_SECRET",
}


def cell_of(name: str, link: Link = LINK, size_bytes: int = 0) -> Cell:
    return Cell(link=link, tcp=TCP, profile=builtin_profiles()[name], workload=Workload(size_bytes=size_bytes))


def fetch_of(cell: Cell) -> Fetch:
    return Fetch(cell_id=cell_id(cell), block=0, repetition=0, seed=SEED)


@pytest.fixture(scope="module")
def lane() -> Iterator[Lane]:
    bed, _ = choose_bed("uml", "virtual")
    bed.prepare()
    profiles = [builtin_profiles()[name] for name in ("classical", "pq", "pq-mutual")]
    with contextlib.closing(bed.open_lane(0, profiles, 300_000 * MS)) as opened:
        yield opened


def segments_of(traced: Traced, link: Link) -> tuple[Segment, ...]:
    captures = (read_pcap(traced.client_pcap), read_pcap(traced.server_pcap))
    return read_segments(*captures, delay_ns=link.rtt_ns, ended_ns=traced.fetch.ended_ns)


def flights_of(traced: Traced, cell: Cell) -> dict[str, ObservedFlight]:
    found = find_flights(segments_of(traced, cell.link), cell.profile, traced.fetch.timings)
    return {flight.name: flight for flight in found}


def short_ones(flight: ObservedFlight) -> int:
    """How many segments there are beyond those that would hold the bytes."""
    return flight.segments - segment_count(flight.payload_bytes)


def timings_of(lane: Lane, cell: Cell) -> Timings:
    ((_, timings),) = lane.run({cell_id(cell): cell}, (fetch_of(cell),))
    return timings


@pytest.mark.parametrize("name", ["classical", "pq", "pq-mutual"])
@pytest.mark.parametrize("size_bytes", [0, 200 * KIB])
def test_the_captures_agree_with_the_sample_and_with_what_is_expected(lane: Lane, name: str, size_bytes: int) -> None:
    cell = cell_of(name, size_bytes=size_bytes)
    traced = lane.trace(cell, fetch_of(cell))
    timings, flights = traced.fetch.timings, flights_of(traced, cell)
    reached = {
        "SYN-ACK": timings.tcp_connect_ns,
        "server flight": timings.tls_done_ns,
        "response": timings.last_byte_ns,
    }
    assert timings.outcome == "ok"
    assert {flight: flights[flight].received_ns for flight in reached} == pytest.approx(reached, abs=CLOCK_NS)
    served = {one.profile: one for one in lane.facts.served}[cell.profile]
    sizes = (served.certificate_wire_bytes, served.client_certificate_wire_bytes)
    expected = simulate_fetch(cell, exchange_of(cell, *sizes))
    for flight, side in (
        ("ClientHello", expected.hello),
        ("server flight", expected.server_flight),
        ("response", expected.response),
    ):
        seen = flights[flight]
        assert (seen.segments, seen.payload_bytes, seen.repeated, seen.lost) == (
            side.segments,
            side.payload_bytes,
            0,
            0,
        )
        assert seen.wire_bytes == wire_bytes(seen.payload_bytes) + FRAME_OVERHEAD_BYTES * short_ones(seen)
    client = flights["client Finished"], flights["request"]
    assert sum(one.payload_bytes for one in client) == expected.client_flight.payload_bytes


def test_a_trace_measures_what_a_sample_measures(lane: Lane) -> None:
    cell = cell_of("pq", LOSSY, 200 * KIB)
    plain, traced = timings_of(lane, cell), lane.trace(cell, fetch_of(cell)).fetch.timings
    again = timings_of(lane, cell)
    assert plain.last_byte_ns is not None
    assert traced.last_byte_ns == pytest.approx(plain.last_byte_ns, abs=CLOCK_NS)
    assert again.last_byte_ns == pytest.approx(plain.last_byte_ns, abs=CLOCK_NS)


def test_a_lost_packet_is_with_its_sender_alone(lane: Lane) -> None:
    cell = cell_of("pq", LOSSY, 200 * KIB)
    traced = lane.trace(cell, fetch_of(cell))
    segments = segments_of(traced, LOSSY)
    lost = [one for one in segments if one.fate == "lost"]
    assert {one.up for one in lost} == {True, False}
    assert not [one for one in segments if one.fate == "under way"]
    files = {True: (traced.client_pcap, traced.server_pcap), False: (traced.server_pcap, traced.client_pcap)}
    for way in (True, False):
        near, far = (Counter(frame.data[18:] for frame in read_pcap(file)) for file in files[way])
        sent = sum(one.up == way for one in segments)
        assert sum((near & far).values()) == len(segments) - len(lost)
        assert sum((near - far).values()) == sum(one.up == way for one in lost) > 0
        assert sent > 0
    dropped = [one for one in lost if one.data]
    repeated = [one for one in segments if one.repeated]
    assert {one.number for one in dropped} <= {one.number for one in repeated}
    assert flights_of(traced, cell)["response"].repeated == len(repeated)


def test_a_router_between_the_ends_is_part_of_the_way(lane: Lane) -> None:
    cell = cell_of("pq", replace(LOSSY, layout="router"), 200 * KIB)
    traced = lane.trace(cell, fetch_of(cell))
    segments, timings = segments_of(traced, LOSSY), traced.fetch.timings
    assert timings.outcome == "ok"
    assert flights_of(traced, cell)["response"].received_ns == pytest.approx(timings.last_byte_ns, abs=CLOCK_NS)
    assert {one.fate for one in segments} == {"arrived", "lost"}
    # What arrived has been on its way for the link's delay at least, and was seen before that by its sender.
    assert min(one.received_ns - one.sent_ns for one in segments if one.received_ns is not None) >= 100 * MS


@pytest.mark.parametrize("segmentation", ["host", "offload-off"])
def test_super_packets_are_whole_whether_they_are_cut_on_the_way_or_not(lane: Lane, segmentation: Segmentation) -> None:
    cell = cell_of("classical", replace(LINK, segmentation=segmentation), 200 * KIB)
    traced = lane.trace(cell, fetch_of(cell))
    segments = segments_of(traced, LINK)
    assert max(one.frame_bytes for one in segments) > 1514
    assert {one.fate for one in segments} == {"arrived"}
    reached_ns = flights_of(traced, cell)["response"].received_ns
    assert reached_ns == pytest.approx(traced.fetch.timings.last_byte_ns, abs=CLOCK_NS)


def test_a_timer_that_ended_a_silence_is_seen(lane: Lane) -> None:
    cell = cell_of("classical", replace(LINK, loss=RandomLoss(probability_ppm=400_000)))
    for number in range(8):
        traced = lane.trace(cell, replace(fetch_of(cell), seed=SEED * (number + 1) % 2**64))
        waits = find_waits(segments_of(traced, cell.link))
        assert traced.fetch.timings.outcome == "ok"
        if waits:
            assert all(wait.length_ns >= 200 * MS for wait in waits)
            return
    pytest.fail("of eight fetches at 40 per cent loss none waited for a timer")


def test_no_packet_in_a_capture_answers_one_that_is_not_there_yet(lane: Lane) -> None:
    """A virtual clock gives a packet and its answer the same time, and dissectors go by the order of the file."""
    cell = cell_of("pq", size_bytes=50 * KIB)
    traced = lane.trace(cell, fetch_of(cell))
    for capture in (traced.client_pcap, traced.server_pcap):
        reached: dict[object, int] = {}
        for packet in tcp_packets(read_pcap(capture)):
            if packet.acknowledged is not None:
                assert (reached[packet.receiver] - packet.acknowledged) % 2**32 < 2**31
            # Nothing is lost here, so each packet continues the one before.
            reached[packet.sender] = packet.sequence + bool(packet.flags & SYN) + len(packet.payload)


def test_the_key_log_opens_what_the_server_sends_first(lane: Lane) -> None:
    cell = cell_of("pq")
    traced = lane.trace(cell, fetch_of(cell))
    lines = [line.split() for line in traced.keys.splitlines()]
    assert {name for name, _, _ in lines} == SECRETS
    assert len(lines) == len(SECRETS)
    assert "CLIENT" not in repr(traced)
    down = b"".join(one.data for one in segments_of(traced, LINK) if not one.up)
    sealed = next(record for record in walk_records(down) if record.kind == "application_data")
    secret = next(bytes.fromhex(value) for name, _, value in lines if name == "SERVER_HANDSHAKE_TRAFFIC_SECRET")
    header, body = down[sealed.start : sealed.start + 5], down[sealed.start + 5 : sealed.end]
    opened = AESGCM(expand(secret, b"key", 32)).decrypt(expand(secret, b"iv", 12), body, header)
    # EncryptedExtensions (RFC 8446, 4.3.1), then the content type of a handshake record.
    assert (opened[0], opened[-1]) == (8, 22)


def test_a_lane_logs_no_keys_before_and_after_a_trace(lane: Lane) -> None:
    cell = cell_of("pq")
    first = lane.trace(cell, fetch_of(cell)).keys
    timings_of(lane, cell)
    second = lane.trace(cell, fetch_of(cell)).keys
    assert len(second.splitlines()) == len(SECRETS)
    assert not set(first.split()) & set(second.split()) - SECRETS


def expand(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label of RFC 8446, 7.1, with an empty context."""
    name = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(name)]) + name + b"\0"
    return HKDFExpand(SHA384(), length, info).derive(secret)
