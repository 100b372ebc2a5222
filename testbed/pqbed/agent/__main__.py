"""`python3 -m pqbed.agent ROLE`: the program inside images and guests. It speaks JSON lines (rpc_client.py)."""

import argparse
import gc
import sys
from typing import get_args

from pqbed.agent.rpc_server import serve
from pqbed.spec.options import Clock
from pqbed.spec.profile import DEFAULT_STACK


def main() -> None:
    """Run one role until the input ends."""
    parser = argparse.ArgumentParser(prog="pqbed.agent")
    parser.add_argument("role", choices=("guest", "contained", "end", "server", "client", "tap"))
    parser.add_argument("--lane", type=int, default=0)
    parser.add_argument("--clock", choices=get_args(Clock), default="real")
    parser.add_argument("--ifname", default="eth0")
    parser.add_argument("--stack", default=DEFAULT_STACK)
    arguments = parser.parse_args()
    if arguments.role == "guest":
        run_guest(arguments.lane, arguments.clock)
    elif arguments.role == "contained":
        run_contained(arguments.lane)
    else:
        run_part(arguments.role, arguments.ifname, arguments.stack)


def run_guest(lane: int, clock: Clock) -> None:
    """Be the init of a guest."""
    from pqbed.agent.guest import open_console, power_off, set_up_root  # noqa: PLC0415 - other roles need none of it

    try:
        set_up_root()
        open_console()
        run_lane(lane, clock)
    except OSError as error:
        sys.stderr.write(f"pqbed.agent: {error}\n")
    finally:
        power_off()


def run_contained(lane: int) -> None:
    """Be the first process in namespaces and a root of our own."""
    from pqbed.agent.guest import set_up_root  # noqa: PLC0415

    set_up_root()
    run_lane(lane, "real")


def run_lane(lane: int, clock: Clock) -> None:
    """Be a whole lane."""
    from pqbed.agent.folder import lane_folder  # noqa: PLC0415
    from pqbed.agent.lane import LaneAgent  # noqa: PLC0415

    agent = LaneAgent(lane, clock, lane_folder())
    # What is loaded now stays; a collection in mid-fetch would only cost time.
    gc.collect()
    gc.freeze()
    try:
        serve(agent.calls())
    finally:
        agent.close()


def run_part(role: str, ifname: str, stack: str) -> None:
    """Be one part of a lane whose other parts are elsewhere."""
    from pqbed.agent.rpc_dispatch import part_calls  # noqa: PLC0415

    calls, close = part_calls(role, ifname, stack)
    try:
        serve(calls)
    finally:
        close()


if __name__ == "__main__":
    main()
