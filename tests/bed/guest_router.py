"""Fetch in a guest in virtual time in both layouts of one lane: a JSON line of what is served, then one a cell."""

import json
import os
import socket
from contextlib import suppress
from functools import partial
from pathlib import Path

from pqbed.agent.single_process_lane import LaneAgent
from pqbed.net.router_namespaces import ROUTED_IFNAME
from pqbed.net.run_in_namespace import run_in
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from pqbed.spec.json_codec import to_json
from pqbed.spec.link_end_shape import STAGES
from pqbed.spec.sample import Fetch
from support.frames import listen, segments
from support.router_cells import GRID, PROFILES, SPECIAL
from support.units import MS


def retransmitted(netns: str) -> int:
    """Return how many segments the server has sent again (RFC 1213, tcpRetransSegs)."""
    lines = [line.split() for line in run_in(netns, Path("/proc/thread-self/net/snmp").read_text).splitlines()]
    names, values = (line for line in lines if line[0] == "Tcp:")
    return int(values[names.index("RetransSegs")])


def fetch(agent: LaneAgent, cell: Cell) -> dict[str, object]:
    netns = agent._namespace.path
    before = retransmitted(netns)
    (timings,) = agent.run((Fetch(cell_id=cell_id(cell), block=0, repetition=0, seed=1),))
    return {"timings": to_json(timings), "retransmitted": retransmitted(netns) - before}


def namespaces() -> list[str]:
    """Return the paths of the network namespaces that this process holds."""
    found = []
    for path in Path(f"/proc/{os.getpid()}/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the listing itself
            if str(path.readlink()).startswith("net:["):
                found.append(str(path))
    return found


def hops(agent: LaneAgent, cell: Cell) -> dict[str, object]:
    """Fetch while every interface of the way is listened to: the largest frame and how many carried data."""
    captures = {f"client {ROUTED_IFNAME}": listen(ROUTED_IFNAME)}
    for netns in namespaces():
        for _, name in run_in(netns, socket.if_nameindex):
            if name in (*STAGES, ROUTED_IFNAME):
                captures[name] = run_in(netns, partial(listen, name))
    fetch(agent, cell)
    caught = {name: segments(capture) for name, capture in captures.items()}
    caught = {name: some for name, some in caught.items() if some}
    return {
        "largest": {name: max(one.frame_bytes for one in some) for name, some in caught.items()},
        "frames": {name: sum(bool(one.data) for one in some) for name, some in caught.items()},
    }


def main() -> None:
    agent = LaneAgent(0, "virtual", Path("/run/pqbed"))
    facts = agent.start(PROFILES, 300_000 * MS)
    print(json.dumps({"served": to_json(facts.served)}), flush=True)
    cells = {**{cell_id(cell): cell for cell in GRID}, **SPECIAL}
    agent.add_cells({cell_id(cell): cell for cell in cells.values()})
    for name, cell in cells.items():
        print(json.dumps({"case": name, **fetch(agent, cell)}), flush=True)
    for name, cell in SPECIAL.items():
        state = agent.set_link(cell.link, cell.tcp, 1)
        print(json.dumps({"case": f"state {name}", "state": to_json(state)}), flush=True)
        print(json.dumps({"case": f"read {name}", "state": to_json(agent.read_link())}), flush=True)
    print(json.dumps({"case": "hops", **hops(agent, GRID[-1])}), flush=True)
    agent.close()


main()
