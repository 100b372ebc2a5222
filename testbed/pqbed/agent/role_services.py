"""Services of the agent's roles: a whole lane, or one part of a lane whose other parts are in other containers.

Each role imports only what it needs: an image may lack the rest.
"""

from pqbed.agent.rpc_dispatch import dispatch
from pqbed.agent.rpc_server import Service
from pqbed.agent.stack_process import lane_folder
from pqbed.spec.run_options import Clock


def lane_service(lane: int, clock: Clock) -> Service:
    """Return a whole lane, in this process."""
    from pqbed.agent.lane_interface import LaneService  # noqa: PLC0415
    from pqbed.agent.single_process_lane import LaneAgent  # noqa: PLC0415

    agent = LaneAgent(lane, clock, lane_folder())
    return Service(calls=dispatch(LaneService)(agent), close=agent.close)


def part_service(role: str, ifname: str, stack: str) -> Service:
    """Return one part of a lane: the end at `ifname`, its tap, or the server or client of `stack`."""
    match role:
        case "end":
            return _end_service(ifname)
        case "tap":
            return _tap_service(ifname)
        case "server":
            return _server_service(stack)
        case _:
            return _client_service(stack)


def _end_service(ifname: str) -> Service:
    from pqbed.agent.container_link_end import InterfaceEnd  # noqa: PLC0415
    from pqbed.agent.cross_traffic import CrossTrafficEnd, LocalCrossTraffic  # noqa: PLC0415
    from pqbed.agent.lane_part_interfaces import EndService, Mirror  # noqa: PLC0415
    from pqbed.calibrate.prober import LocalProber, Prober  # noqa: PLC0415
    from pqbed.net.egress_mirror import EgressMirror  # noqa: PLC0415

    end = InterfaceEnd(ifname)
    calls = (
        dispatch(EndService)(end)
        | dispatch(Prober)(LocalProber(None, end.queue))
        | dispatch(CrossTrafficEnd)(LocalCrossTraffic(None))
        | dispatch(Mirror)(EgressMirror(None, ifname))
    )
    return Service(calls=calls, close=end.close)


def _tap_service(ifname: str) -> Service:
    from pqbed.agent.capture_to_pcap import LocalTap  # noqa: PLC0415
    from pqbed.agent.lane_part_interfaces import Tap  # noqa: PLC0415

    tap = LocalTap(None, ifname)
    return Service(calls=dispatch(Tap)(tap), close=tap.close)


def _server_service(stack: str) -> Service:
    from pqbed.agent.lane_part_interfaces import StackServer  # noqa: PLC0415
    from pqbed.spec.stacks import stack_named  # noqa: PLC0415
    from pqbed.tls.server_process import ServerProcess  # noqa: PLC0415

    server = ServerProcess(stack_named(stack), lane_folder())
    return Service(calls=dispatch(StackServer)(server), close=server.stop)


def _client_service(stack: str) -> Service:
    from pqbed.agent.lane_part_interfaces import StackClient  # noqa: PLC0415
    from pqbed.fetch.client_drivers import DriverClient  # noqa: PLC0415
    from pqbed.spec.stacks import stack_named  # noqa: PLC0415

    client = DriverClient(stack_named(stack))
    return Service(calls=dispatch(StackClient)(client), close=client.release)
