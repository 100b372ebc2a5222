"""Network path of the layout `router` in a lane that is one process: two forwarding namespaces with four stages."""

from pqbed.agent.network_path import NetworkPath
from pqbed.agent.unnamed_namespace import Namespace
from pqbed.net import sysctls
from pqbed.net.router_namespaces import ROUTED_IFNAME, create_router
from pqbed.net.shaped_interface import ShapedInterface


def build_routed_path(lane_index: int, server_ns: str) -> NetworkPath:
    """Build it from the present namespace, the client's. It lives as long as the process."""
    near, far = (Namespace(sysctls.forward) for _ in range(2))
    routed = create_router(lane_index, client_ns=None, server_ns=server_ns, near_ns=near.path, far_ns=far.path)
    return NetworkPath(
        client_end=ShapedInterface(None, ROUTED_IFNAME),
        server_end=ShapedInterface(server_ns, ROUTED_IFNAME),
        address=routed.addresses.server.address,
        client_address=routed.addresses.client.address,
        stages={stage: ShapedInterface(netns, stage) for stage, netns in routed.stages.items()},
    )
