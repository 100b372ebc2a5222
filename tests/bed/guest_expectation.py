"""Fetch once in every cell of the grid in a guest in virtual time: a JSON line of what is served, then one a cell."""

import json
from pathlib import Path

from pqbed.agent.single_process_lane import LaneAgent
from pqbed.plan import cell_id
from pqbed.spec.json_codec import to_json
from pqbed.spec.sample import Fetch
from support.expectation_grid import ALL_PROFILES, FAMILIES
from support.units import MS


def main() -> None:
    agent = LaneAgent(0, "virtual", Path("/run/pqbed"))
    facts = agent.start(ALL_PROFILES, 300_000 * MS)
    print(json.dumps({"served": to_json(facts.served)}), flush=True)
    cells = {cell_id(cell): cell for family in FAMILIES.values() for cell in family}
    agent.add_cells(cells)
    fetches = tuple(Fetch(cell_id=identity, block=0, repetition=0, seed=1) for identity in cells)
    for fetch, timings in zip(fetches, agent.run(fetches), strict=True):
        print(json.dumps({"cell_id": fetch.cell_id, "timings": to_json(timings)}), flush=True)
    agent.close()


main()
