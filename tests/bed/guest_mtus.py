"""Fetch in a guest in virtual time at MTUs from 576 to 9000; a JSON line of the payloads of each fetch's segments."""

import json
from contextlib import closing
from pathlib import Path

from pqbed.agent.single_process_lane import LaneAgent
from pqbed.plan import cell_id
from pqbed.spec.json_codec import to_json
from pqbed.spec.sample import Fetch
from support.frames import listen, segments
from support.mtu_cells import BOXED, CELLS, LONGER, PROFILES, ROUTED
from support.units import MS


def main() -> None:
    agent = LaneAgent(0, "virtual", Path("/run/pqbed"))
    facts = agent.start(PROFILES, 300_000 * MS)
    print(json.dumps({"case": "served", "served": to_json(facts.served)}), flush=True)
    agent.add_cells({cell_id(cell): cell for cell in (*CELLS, *LONGER)})
    for cell in (*CELLS, *LONGER):
        with closing(listen()) as capture:
            (timings,) = agent.run((Fetch(cell_id=cell_id(cell), block=0, repetition=0, seed=1),))
            caught = [(segment.up, len(segment.data)) for segment in segments(capture) if segment.data]
        told = {"case": cell_id(cell), "timings": to_json(timings)}
        print(json.dumps(told | ({"payloads": caught} if cell in CELLS else {})), flush=True)
    agent.add_cells({cell_id(cell): cell for cell in (*ROUTED.values(), *BOXED.values())})
    for name, cell in {**ROUTED, **BOXED}.items():
        fetches = [Fetch(cell_id=cell_id(cell), block=0, repetition=number, seed=number) for number in (1, 2)]
        print(json.dumps({"case": name, "timings": [to_json(timings) for timings in agent.run(fetches)]}), flush=True)
    agent.close()


main()
