"""A stored trace, and forged packets for what no stored one shows."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pqbed.agent.lane_facts import LaneFacts
from pqbed.net.pcap import Frame, read_pcap
from pqbed.spec.cell import Cell
from pqbed.spec.json_codec import from_json
from pqbed.spec.sample import Fetch, Timings
from pqbed.trace.flights import find_flights
from pqbed.trace.segments import read_segments
from pqbed.trace.take_trace import Trace
from pqbed.trace.timer_waits import find_waits
from support.units import MS

STORED = Path(__file__).parents[1] / "golden" / "trace"
CLIENT, SERVER = (bytes([198, 18, 0, 2]), 40_000), (bytes([198, 18, 0, 1]), 4433)
FIN, SYN, RST, ACK = 1, 2, 4, 16
OPENING = {True: 2**32 - 5, False: 7_000}


def stored_trace() -> Trace:
    """Return the trace in tests/golden/trace: 4 KiB over 200 ms with 20 per cent loss, in a guest in virtual time."""
    told = json.loads((STORED / "trace.json").read_text())
    cell, timings = from_json(Cell, told["cell"]), from_json(Timings, told["timings"])
    captures = [read_pcap((STORED / f"{side}.pcap").read_bytes()) for side in ("client", "server")]
    segments = read_segments(*captures)
    return Trace(
        cell=cell,
        fetch=Fetch(cell_id=told["cell_id"], block=0, repetition=0, seed=told["seed"]),
        timings=timings,
        segments=segments,
        flights=find_flights(segments, cell.profile, timings),
        waits=find_waits(segments),
        bed="uml",
        clock="virtual",
        facts=LaneFacts(kernel=told["kernel"], versions=told["versions"]),
        artefacts=told["artefacts"],
    )


@dataclass(frozen=True)
class Sent:
    """A forged packet: `came_ms` None for one that is lost. Numbers are counted from the SYN, as Segment does."""

    up: bool
    sent_ms: float
    came_ms: float | None
    number: int = -1
    data: bytes = b""
    acknowledged: int | None = None
    flags: int = ACK
    fingerprint: int = 0


def captures_of(packets: Sequence[Sent]) -> tuple[list[Frame], list[Frame]]:
    """Return what client and server would have captured."""
    seen: dict[bool, list[Frame]] = {True: [], False: []}
    for packet in packets:
        seen[packet.up].append(frame_of(packet, packet.sent_ms))
        if packet.came_ms is not None:
            seen[not packet.up].append(frame_of(packet, packet.came_ms, hops=2))
    client, server = (sorted(frames, key=lambda frame: frame.time_ns) for frames in (seen[True], seen[False]))
    return client, server


def frame_of(packet: Sent, time_ms: float, hops: int = 0) -> Frame:
    """Forge a frame; `hops` changes what a router changes."""
    (source, from_port), (goal, to_port) = (CLIENT, SERVER) if packet.up else (SERVER, CLIENT)
    number = (OPENING[packet.up] + 1 + packet.number) % 2**32
    acknowledged = 0
    if packet.acknowledged is not None:
        acknowledged = (OPENING[not packet.up] + 1 + packet.acknowledged) % 2**32
    ports = (from_port, to_port, number, acknowledged, 5 << 4, packet.flags, 500, hops, 0)
    tcp = struct.pack("!HHIIBBHHH", *ports) + packet.data
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), packet.fingerprint, 0, 64 - hops, 6, hops, source, goal)
    ethernet = bytes(6) + bytes([hops] * 6) + b"\x08\x00"
    return Frame(1_700_000_000 * 10**9 + round(time_ms * MS), ethernet + ip + tcp)
