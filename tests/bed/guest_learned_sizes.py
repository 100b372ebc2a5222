"""Fetch once in every cell of the grid with a stack and the profiles named: what was learned, then the timings."""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.append("/opt/pqbed/vendor")

from pqbed.agent.single_process_lane import LaneAgent
from pqbed.plan import cell_id
from pqbed.spec.json_codec import to_json
from pqbed.spec.sample import Fetch
from support.expectation_grid import GRID
from support.units import MS

os.environ["PYTHONPATH"] = "/mnt/testbed:/opt/pqbed/vendor"


def main() -> None:
    stack, *names = sys.argv[1:]
    cells = [replace(cell, profile=replace(cell.profile, stack=stack)) for cell in GRID if cell.profile.name in names]
    profiles = tuple({cell.profile.name: cell.profile for cell in cells}.values())
    agent = LaneAgent(0, "virtual", Path("/run/pqbed"))
    facts = agent.start(profiles, 300_000 * MS)
    began_ns = time.process_time_ns()
    sizes = {name: learned["full"] for name, learned in agent.learn_sizes(("full",)).items()}
    cpu_ns = time.process_time_ns() - began_ns
    print(json.dumps({"served": to_json(facts.served), "sizes": to_json(sizes), "cpu_ns": cpu_ns}), flush=True)
    by_id = {cell_id(cell): cell for cell in cells if cell.profile.name in sizes}
    agent.add_cells(by_id)
    fetches = tuple(Fetch(cell_id=identity, block=0, repetition=0, seed=1) for identity in by_id)
    for fetch, timings in zip(fetches, agent.run(fetches), strict=True):
        print(json.dumps({"cell_id": fetch.cell_id, "timings": to_json(timings)}), flush=True)
    agent.close()


main()
