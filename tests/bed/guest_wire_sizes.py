"""Fetch once with each kind of chain in a guest, and print what TLS records passed the client's interface.

With the argument `algorithms`: with each group and each kind of key.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pqbed.agent.single_process_lane import LaneAgent
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from pqbed.spec.json_codec import to_json
from pqbed.spec.link import Link
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from pqbed.tls.tls_records import walk_records
from support.chain_kinds import ALGORITHMS, PROFILES
from support.frames import flights, listen, segments, stream
from support.units import MS

LINK = Link(rtt_ns=35 * MS)


def main() -> None:
    agent = LaneAgent(0, "virtual", Path("/run/pqbed"))
    facts = agent.start(ALGORITHMS if "algorithms" in sys.argv else PROFILES, 60_000 * MS)
    print(json.dumps({"facts": to_json(facts)}), flush=True)
    for served in facts.served:
        print(json.dumps({"served": to_json(served), **fetch(agent, served.profile)}), flush=True)
    agent.close()


def fetch(agent: LaneAgent, profile: Profile) -> dict[str, Any]:
    cell = Cell(
        link=LINK, tcp=Tcp(initcwnd_server=20, initcwnd_client=20), profile=profile, workload=Workload(size_bytes=0)
    )
    identity = cell_id(cell)
    agent.add_cells({identity: cell})
    with listen() as capture:
        (timings,) = agent.run((Fetch(cell_id=identity, block=0, repetition=0, seed=1),))
        caught = segments(capture)
    up, down = (stream(caught, up=up) for up in (True, False))
    up_records, down_records = list(walk_records(up)), list(walk_records(down))
    return {
        "hellos": [up[: up_records[0].end].hex(), down[: down_records[0].end].hex()],
        "timings": to_json(timings),
        "flights": flights(caught),
        "up": [to_json(record) for record in up_records],
        "down": [to_json(record) for record in down_records],
    }


main()
