"""Fetch inside a guest in virtual time while counting the bytes on the client's interface; one JSON line a fetch."""

import json
import os
import signal
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pqbed.agent.single_process_lane import LaneAgent
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from pqbed.spec.json_codec import to_json
from pqbed.spec.link import Link, RandomLoss
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from pqbed.tls.server_process import ServerProcess
from support.profiles import CLASSICAL, PQ
from support.units import KIB, MS

TCP = Tcp(initcwnd_server=20, initcwnd_client=20)
ETH_P_ALL, ETH_P_IP, OUTGOING = 3, 0x0800, 4
SYN = 0x02


@dataclass
class Count:
    """Bytes of whole frames: `down` and `up` that carry data or a SYN, and the largest frame of either."""

    down: int = 0
    up: int = 0
    largest: int = 0

    def add(self, frame: bytes, outgoing: bool) -> None:
        if struct.unpack_from("!H", frame, 12)[0] != ETH_P_IP:
            return
        self.largest = max(self.largest, len(frame))
        ip_bytes = 4 * (frame[14] & 15)
        (total,) = struct.unpack_from("!H", frame, 16)
        tcp = 14 + ip_bytes
        data_bytes = total - ip_bytes - 4 * (frame[tcp + 12] >> 4)
        if data_bytes or frame[tcp + 13] & SYN:
            setattr(self, "up" if outgoing else "down", getattr(self, "up" if outgoing else "down") + len(frame))


def listen() -> socket.socket:
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    capture.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    capture.bind(("eth0", ETH_P_ALL))
    capture.setblocking(False)
    return capture


def count(capture: socket.socket) -> Count:
    counted = Count()
    while True:
        try:
            frame, address = capture.recvfrom(65536)
        except BlockingIOError:
            return counted
        counted.add(frame, outgoing=address[2] == OUTGOING)


def fetch(agent: LaneAgent, link: Link, profile: Profile, size_bytes: int, seed: int) -> dict[str, object]:
    cell = Cell(link=link, tcp=TCP, profile=profile, workload=Workload(size_bytes=size_bytes))
    identity = cell_id(cell)
    agent.add_cells({identity: cell})
    with listen() as capture:
        fetches = (Fetch(cell_id=identity, block=seed, repetition=seed, seed=seed * 0x9E3779B97F4A7C15 % 2**64),)
        (timings,) = agent.run(fetches)
        counted = count(capture)
    return {**to_json(timings), "down": counted.down, "up": counted.up, "largest": counted.largest}


def main() -> None:
    agent = LaneAgent(0, "virtual", Path("/run/pqbed"))
    agent.start((CLASSICAL, PQ), 300_000 * MS)
    fast, slow = Link(rtt_ns=35 * MS), Link(rtt_ns=200 * MS, bandwidth_bps=1_000_000)
    lossy = Link(rtt_ns=200 * MS, bandwidth_bps=1_000_000, loss=RandomLoss(probability_ppm=100_000))
    for profile in (CLASSICAL, PQ):
        say("fast", profile, fetch(agent, fast, profile, 0, 1))
        say("slow", profile, fetch(agent, slow, profile, 200 * KIB, 1))
        for seed in range(1, 31):
            say("lossy", profile, fetch(agent, lossy, profile, 200 * KIB, seed))
    say("before", CLASSICAL, fetch(agent, fast, CLASSICAL, 0, 1))
    (server,) = cast("Iterable[ServerProcess]", agent._servers._serving.values())
    os.killpg(server._process.pid, signal.SIGKILL)
    say("killed", CLASSICAL, fetch(agent, fast, CLASSICAL, 0, 2))
    say("after", CLASSICAL, fetch(agent, fast, CLASSICAL, 0, 3))
    agent.close()


def say(case: str, profile: Profile, result: dict[str, object]) -> None:
    print(json.dumps({"case": case, "profile": profile.name, **result}), flush=True)


main()
