"""`python3 -m pqbed.agent ROLE`: the program inside images and guests, an RPC server on its standard streams."""

import argparse
import gc
import os
import sys
from typing import get_args

from pqbed.agent.role_services import lane_service, part_service
from pqbed.agent.rpc_server import Service, serve
from pqbed.fetch.fewer_calls import PRELOAD_VARIABLE
from pqbed.spec.profile import DEFAULT_STACK
from pqbed.spec.run_options import Clock

# `guest` is the init process of a UML guest and `netns` the first process of new namespaces: each is a whole lane, on a
# root of its own. The others are parts of a lane.
ROLES = ("guest", "netns", "end", "server", "client", "tap")


def main() -> None:
    """Serve one role until the input ends."""
    parser = argparse.ArgumentParser(prog="pqbed.agent")
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--lane", type=int, default=0)
    parser.add_argument("--clock", choices=get_args(Clock), default="real")
    parser.add_argument("--ifname", default="eth0")
    parser.add_argument("--stack", default=DEFAULT_STACK)
    arguments = parser.parse_args()
    # What is loaded before libcurl is not for the servers and other programs that the agent starts.
    os.environ.pop(PRELOAD_VARIABLE, None)
    if arguments.role == "guest":
        serve_as_init(arguments.lane, arguments.clock)
    elif arguments.role == "netns":
        serve(lambda: _lane_on_own_root(arguments.lane, "real"))
    else:
        serve(lambda: part_service(arguments.role, arguments.ifname, arguments.stack))


def serve_as_init(lane: int, clock: Clock) -> None:
    """Serve a lane as the init process of a guest, which ends with it."""
    from pqbed.agent.root_filesystem_setup import open_console, power_off  # noqa: PLC0415 - other roles need none of it

    try:
        open_console()
        serve(lambda: _lane_on_own_root(lane, clock))
    except OSError as error:
        sys.stderr.write(f"pqbed.agent: {error}\n")
    finally:
        power_off()


def _lane_on_own_root(lane: int, clock: Clock) -> Service:
    from pqbed.agent.root_filesystem_setup import set_up_root  # noqa: PLC0415

    set_up_root()
    service = lane_service(lane, clock)
    # What is loaded by now stays; a garbage collection during a fetch would only cost time.
    gc.collect()
    gc.freeze()
    return service


if __name__ == "__main__":
    main()
