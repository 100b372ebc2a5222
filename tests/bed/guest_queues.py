"""Fetch in a guest in virtual time through queues of each kind, and read them back; a JSON line each."""

import json
from pathlib import Path

from pqbed.agent.single_process_lane import LaneAgent
from pqbed.plan import cell_id
from pqbed.spec.json_codec import to_json
from pqbed.spec.sample import Fetch
from support.queue_cells import CELLS, PROFILES
from support.units import MS


def main() -> None:
    agent = LaneAgent(0, "virtual", Path("/run/pqbed"))
    facts = agent.start(PROFILES, 300_000 * MS)
    print(json.dumps({"case": "served", "served": to_json(facts.served)}), flush=True)
    agent.add_cells({cell_id(cell): cell for cell in CELLS.values()})
    for name, cell in CELLS.items():
        fetches = [Fetch(cell_id=cell_id(cell), block=0, repetition=number, seed=number) for number in (1, 2)]
        first, again = agent.run(tuple(fetches))
        agent.set_link(cell.link, cell.tcp, 1)
        told = {"timings": to_json(first), "again": to_json(again), "state": to_json(agent.read_link())}
        print(json.dumps({"case": name, **told}), flush=True)
    agent.close()


main()
