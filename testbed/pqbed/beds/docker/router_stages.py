"""Stages of the layout `router`: four more containers on a lane's network, created when a link first needs them.

    server -> down-rate -> down-delay -> client          client -> up-rate -> up-delay -> server

Each has one interface and forwards by it: its ARP entry for the far end holds the next hop. Only the ends' own entries
determine which layout is in use. A stage only forwards and shapes, for which NET_ADMIN is enough.
"""

from collections.abc import Callable, Mapping

from pqbed.agent.lane_part_interfaces import EndService
from pqbed.agent.network_path import NetworkPath
from pqbed.beds.docker.addresses import Address, LaneAddresses, slot_addresses
from pqbed.beds.docker.containers import HOLD, TMPFS, LaneContainers, start_container
from pqbed.beds.docker.engine_interface import ContainerSpec, Engine, NetworkAttachment
from pqbed.beds.docker.labels import ROLE
from pqbed.net.sysctls import FORWARDING
from pqbed.spec.link import Layout
from pqbed.spec.link_end_shape import STAGES, Stage


def ensure_stages(engine: Engine, lane: LaneContainers) -> dict[Stage, str]:
    """Return the ids of the stages' containers: running ones on the lane's image are kept, the others created.

    They have the lane's labels, and are removed with it.
    """
    present = {container.labels.get(ROLE): container for container in engine.find("container", lane.claim.search)}
    stages: dict[Stage, str] = {}
    for stage in STAGES:
        container = present.get(stage)
        if container is not None and container.running and container.image == lane.image:
            stages[stage] = container.id
            continue
        if container is not None:
            engine.remove(container)
        stages[stage] = start_container(engine, _stage(lane, stage))
    return stages


def _stage(lane: LaneContainers, stage: Stage) -> ContainerSpec:
    address = slot_addresses(lane.claim.slot).stages[stage]
    return ContainerSpec(
        name=lane.claim.container(stage),
        image=lane.image,
        argv=HOLD,
        labels=lane.claim.labels(stage),
        # A capability reaches a process of another user only through a file that carries it: so root, with this one.
        user="0:0",
        attachment=NetworkAttachment(network=lane.claim.network, address=address.address, mac=address.mac),
        capabilities=("NET_ADMIN",),
        sysctls=FORWARDING,
        tmpfs=TMPFS,
    )


class DockerPaths:
    """Network paths of a lane by layout, between the same two ends: a change of layout sets their ARP entries."""

    def __init__(
        self,
        client_end: EndService,
        server_end: EndService,
        addresses: LaneAddresses,
        open_stages: Callable[[], Mapping[Stage, EndService]],
    ) -> None:
        """Build the path of `ends`. `open_stages` returns the stages, and is called at most once."""
        self._client_end = client_end
        self._server_end = server_end
        self._addresses = addresses
        self._open_stages = open_stages
        self._paths: dict[Layout, NetworkPath] = {"ends": self._path({})}
        self._set_next_hops(addresses.client, addresses.server)
        self._layout: Layout = "ends"

    def __call__(self, layout: Layout) -> NetworkPath:
        """Return the path of `layout`, in use."""
        if layout not in self._paths:
            self._paths[layout] = self._routed_path()
        if layout != self._layout:
            stages, addresses = self._addresses.stages, self._addresses
            if layout == "router":
                self._set_next_hops(stages["down-rate"], stages["up-rate"])
            else:
                self._set_next_hops(addresses.client, addresses.server)
            self._layout = layout
        return self._paths[layout]

    def _path(self, stages: Mapping[Stage, EndService]) -> NetworkPath:
        return NetworkPath(
            client_end=self._client_end,
            server_end=self._server_end,
            address=self._addresses.server.address,
            client_address=self._addresses.client.address,
            stages=stages,
        )

    def _set_next_hops(self, towards_client: Address, towards_server: Address) -> None:
        """Set the first hop of each direction. Otherwise a fetch waits for ARP, which draws from netem's stream."""
        self._client_end.set_neighbour(self._addresses.server.address, towards_server.mac)
        self._server_end.set_neighbour(self._addresses.client.address, towards_client.mac)

    def _routed_path(self) -> NetworkPath:
        addresses, ends = self._addresses, self._open_stages()
        hops: dict[Stage, tuple[Address, str]] = {
            "down-rate": (addresses.client, addresses.stages["down-delay"].mac),
            "down-delay": (addresses.client, addresses.client.mac),
            "up-rate": (addresses.server, addresses.stages["up-delay"].mac),
            "up-delay": (addresses.server, addresses.server.mac),
        }
        for stage, (goal, mac) in hops.items():
            ends[stage].disable_redirects()
            ends[stage].set_neighbour(goal.address, mac)
        return self._path(ends)
