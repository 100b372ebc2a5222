"""Fetch in a guest over links whose two directions, and between sides whose TCP, differ; one JSON line a fetch."""

import json
from dataclasses import replace
from pathlib import Path

from pqbed.agent.single_process_lane import LaneAgent
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from pqbed.spec.json_codec import to_json
from pqbed.spec.link import Link, RandomLoss
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.sample import Fetch
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.frames import listen, payload_frame_bytes, segments
from support.units import MS

TCP = Tcp(initcwnd_server=20, initcwnd_client=20)
# A client that sends 16 KB: 12 segments.
PROFILE = Profile(
    name="mutual",
    group="X25519",
    chain=Chain(algorithm="rsa2048"),
    mutual=True,
    client_chain=Chain(algorithm="rsa2048", wire_bytes=16_000),
)
FAST = Link(rtt_ns=200 * MS)
SLOW = replace(FAST, bandwidth_bps=1_000_000)
CASES = {
    "even": (SLOW, TCP),
    "slow up": (replace(SLOW, bandwidth_up_bps=100_000), TCP),
    "free up": (replace(SLOW, bandwidth_up_bps=0), TCP),
    "slow down": (replace(SLOW, bandwidth_bps=100_000, bandwidth_up_bps=1_000_000), TCP),
    "deaf up": (replace(FAST, loss_up=RandomLoss(probability_ppm=1_000_000)), TCP),
    "deaf down": (replace(FAST, loss=RandomLoss(probability_ppm=1_000_000), loss_up=RandomLoss()), TCP),
    "wide": (FAST, TCP),
    "narrow client": (FAST, replace(TCP, initcwnd_client=2)),
    "narrow server": (FAST, replace(TCP, initcwnd_server=2)),
    "bbr server": (FAST, Tcp(congestion_control="bbr", congestion_control_client="cubic")),
    "bbr client": (FAST, Tcp(congestion_control_client="bbr")),
}


def main() -> None:
    agent = LaneAgent(0, "virtual", Path("/run/pqbed"))
    agent.start((PROFILE,), 30_000 * MS)
    for name, (link, tcp) in CASES.items():
        cell = Cell(link=link, tcp=tcp, profile=PROFILE, workload=Workload(size_bytes=20_000))
        state = agent.set_link(link, tcp, 1)
        agent.add_cells({cell_id(cell): cell})
        with listen() as capture:
            (timings,) = agent.run((Fetch(cell_id=cell_id(cell), block=0, repetition=0, seed=1),))
            caught = segments(capture)
        sizes = {way: payload_frame_bytes(caught, up=way == "up") for way in ("up", "down")}
        told = {"case": name, "timings": to_json(timings), "state": to_json(state), **sizes}
        told["frames_up"] = sum(segment.up for segment in caught)
        told["frames_down"] = sum(not segment.up for segment in caught)
        print(json.dumps(told), flush=True)
    agent.close()


main()
