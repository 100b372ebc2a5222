"""Fetch in a guest in virtual time beside cross traffic; a JSON line each."""

import json
from pathlib import Path

from pqbed.agent.single_process_lane import LaneAgent
from pqbed.plan import cell_id
from pqbed.spec.json_codec import to_json
from pqbed.spec.sample import Fetch
from support.crossed_cells import CELLS, PROFILES
from support.units import MS


def main() -> None:
    agent = LaneAgent(0, "virtual", Path("/run/pqbed"))
    agent.start(PROFILES, 300_000 * MS)
    agent.add_cells({cell_id(cell): cell for cell in CELLS.values()})
    for name, cell in CELLS.items():
        fetches = [Fetch(cell_id=cell_id(cell), block=0, repetition=seed, seed=seed) for seed in (1, 2)]
        timings = [to_json(each) for each in agent.run(fetches)]
        print(json.dumps({"case": name, "timings": timings}), flush=True)
    agent.close()


main()
