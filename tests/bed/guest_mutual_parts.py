"""A mutual fetch where server and client are agents of their own, as in containers; over the loopback interface."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pqbed.agent.fetch_runner import FetchRunner
from pqbed.agent.lane_part_interfaces import StackClient, StackServer
from pqbed.agent.network_path import NetworkPath
from pqbed.agent.rpc_client import RpcClient
from pqbed.agent.rpc_proxies import proxy
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from pqbed.spec.json_codec import to_json
from pqbed.spec.link import Link
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.sample import Fetch
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.bare_end import BareEnd

FOLDER = Path("/run/parts")
LOOPBACK = "127.0.0.1"
PQ = Chain(algorithm="mldsa65")
MUTUAL = Profile(name="mutual", group="X25519MLKEM768", chain=PQ, mutual=True)
OTHER = Profile(name="other", group="X25519", chain=Chain(algorithm="p256"), mutual=True, client_chain=PQ)
PLAIN = Profile(name="plain", group="X25519MLKEM768", chain=PQ)


def agent(role: str) -> RpcClient:
    environment = {**os.environ, "PYTHONPATH": "/mnt/testbed:/opt/pqbed/vendor", "PQBED_FOLDER": str(FOLDER)}
    process = subprocess.Popen(
        [sys.executable, "-m", "pqbed.agent", role],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        bufsize=1,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    channel = RpcClient(process.stdin.write, process.stdout.readline, role)
    channel.wait_ready()
    return channel


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server, client = proxy(StackServer, agent("server")), proxy(StackClient, agent("client"))
    runner = FetchRunner(
        path_of=lambda _: NetworkPath(
            client_end=BareEnd(), server_end=BareEnd(), address=LOOPBACK, client_address=LOOPBACK
        ),
        server=server,
        client=client,
        timeout_ns=10 * 10**9,
    )
    served = runner.start((MUTUAL, OTHER, PLAIN))
    print(json.dumps({"served": to_json(served)}), flush=True)
    # Each after each: what one fetch proves itself with must not stay with the next.
    for profile in (MUTUAL, PLAIN, OTHER, MUTUAL, PLAIN):
        cell = Cell(link=Link(rtt_ns=0), tcp=Tcp(), profile=profile, workload=Workload(size_bytes=1000))
        fetch = Fetch(cell_id=cell_id(cell), block=0, repetition=0, seed=1)
        ((_, timings),) = runner.run({fetch.cell_id: cell}, (fetch,))
        print(json.dumps({"profile": profile.name, "timings": to_json(timings)}), flush=True)
    stranger = client.fetch(refused_request(runner, served[0].port, served[0].root_pem))
    print(json.dumps({"profile": "stranger", "timings": to_json(stranger)}), flush=True)
    keys = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.key"))
    print(json.dumps({"keys": keys}), flush=True)


def refused_request(runner: FetchRunner, port: int, root_pem: str) -> Any:
    """Ask for a mutual profile without proving anything."""
    cell = Cell(link=Link(rtt_ns=0), tcp=Tcp(), profile=MUTUAL, workload=Workload(size_bytes=0))
    served = runner._served[MUTUAL]
    assert (served.port, served.root_pem) == (port, root_pem)
    return replace(runner._request(cell, served, LOOPBACK), credentials="")


main()
