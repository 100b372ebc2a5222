"""pqbed with somebody between it and its lanes, who asks them for twice the RTT wherever it is 35 ms."""

import sys

from pqbed.agent.rpc_client import RpcClient
from pqbed_cli.main import run

honest = RpcClient._send


def send_falsified(channel: RpcClient, request: str) -> None:
    honest(channel, request.replace('"rtt_ns":35000000,', '"rtt_ns":70000000,'))


RpcClient._send = send_falsified  # type: ignore[assignment, method-assign]
sys.exit(run())
