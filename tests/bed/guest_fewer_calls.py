"""Fetch in the same cells twice in a guest in virtual time: as libcurl does, and with fewer_calls.so loaded.

Run without arguments it starts itself once for each, and prints what each prints: a JSON line a fetch, and one of the
time-out of a fetch whose response stops.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from pqbed.agent.single_process_lane import LaneAgent
from pqbed.fetch.fewer_calls import LIBRARY, PRELOAD_VARIABLE, FewerCalls
from pqbed.plan import cell_id
from pqbed.spec.json_codec import to_json
from pqbed.spec.sample import Fetch
from support.expectation_grid import ALL_PROFILES
from support.fewer_calls_cells import CELLS, STOPPED, UNPACED
from support.units import MS

TIMEOUT_NS = 300_000 * MS


def main() -> None:
    if len(sys.argv) == 1:
        for preload in ("", LIBRARY):
            environment = {**os.environ, PRELOAD_VARIABLE: preload, "PYTHONPATH": ":".join(sys.path)}
            subprocess.run([sys.executable, __file__, "fetch"], env=environment, check=True)
        return
    preloaded = bool(os.environ[PRELOAD_VARIABLE])
    calls = FewerCalls()
    cells = {cell_id(cell): cell for cell in CELLS}
    fetches = [
        Fetch(cell_id=identity, block=block, repetition=block, seed=block + 1)
        for identity, cell in cells.items()
        for block in range(1 if cell.link.loss.probability_ppm == 0 else 20)
    ]
    agent = LaneAgent(0, "virtual", Path("/run/pqbed") / str(preloaded))
    agent.start(ALL_PROFILES, TIMEOUT_NS)
    agent.add_cells(cells)
    for fetch, timings in zip(fetches, agent.run(fetches), strict=True):
        row = {"preloaded": preloaded, "cell_id": fetch.cell_id, "block": fetch.block, "timings": to_json(timings)}
        print(json.dumps(row), flush=True)
    print(json.dumps({"preloaded": preloaded, "records": calls.records, "clocks": calls.clocks}), flush=True)
    before = calls.clocks
    agent.add_cells({cell_id(cell): cell for cell in (UNPACED, STOPPED)})
    (timings,) = agent.run([Fetch(cell_id=cell_id(UNPACED), block=0, repetition=0, seed=1)])
    print(json.dumps({"preloaded": preloaded, "unpaced": timings.outcome, "saved": calls.clocks - before}), flush=True)
    began = time.monotonic_ns()
    (timings,) = agent.run([Fetch(cell_id=cell_id(STOPPED), block=0, repetition=0, seed=1)])
    row = {"preloaded": preloaded, "outcome": timings.outcome, "took_ns": time.monotonic_ns() - began}
    print(json.dumps(row), flush=True)
    agent.close()


main()
