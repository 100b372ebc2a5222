"""The stages of the layout `router`: four containers more on a lane's network, made when a link first asks for them.

    server -> down-rate -> down-delay -> client          client -> up-rate -> up-delay -> server

Each has one interface and passes on by it what reaches it: its neighbour entry for the far end holds the next hop. The
ends' own entries alone tell which layout is in use. A stage only forwards and shapes: NET_ADMIN is all that it takes.
"""

from collections.abc import Callable, Mapping

from pqbed.agent.remote import RemoteEnd
from pqbed.agent.way import Way
from pqbed.beds.docker.addresses import Address, LaneAddresses, lane_addresses
from pqbed.beds.docker.containers import HOLD, TMPFS, LaneContainers, start_container
from pqbed.beds.docker.engine import ContainerSpec, Engine, NetworkAttachment
from pqbed.beds.docker.labels import ROLE, lane_labels, lane_name, ours, part_name
from pqbed.net.shape import STAGES, Stage
from pqbed.net.sysctls import FORWARDING
from pqbed.spec.link import Layout


def ensure_stages(engine: Engine, lane: LaneContainers) -> dict[Stage, str]:
    """Return the ids of the stages' containers: those that run on the lane's image as they are, the others made.

    They carry the lane's label, and go with it.
    """
    present = {one.labels.get(ROLE): one for one in engine.find("container", ours(lane.index))}
    stages: dict[Stage, str] = {}
    for stage in STAGES:
        one = present.get(stage)
        if one is not None and one.running and one.image == lane.image:
            stages[stage] = one.id
            continue
        if one is not None:
            engine.remove(one)
        stages[stage] = start_container(engine, _stage(lane, stage))
    return stages


def _stage(lane: LaneContainers, stage: Stage) -> ContainerSpec:
    address = lane_addresses(lane.index).stages[stage]
    return ContainerSpec(
        name=part_name(lane.index, stage),
        image=lane.image,
        argv=HOLD,
        labels=lane_labels(lane.index, stage),
        # A capability reaches a process of another user only through a file that carries it: so root, with this one.
        user="0:0",
        attachment=NetworkAttachment(network=lane_name(lane.index), address=address.address, mac=address.mac),
        capabilities=("NET_ADMIN",),
        sysctls=FORWARDING,
        tmpfs=TMPFS,
    )


class DockerPaths:
    """The ways of a lane, by layout: both between the same two ends, so a change of layout turns their neighbours."""

    def __init__(
        self,
        client_end: RemoteEnd,
        server_end: RemoteEnd,
        addresses: LaneAddresses,
        open_stages: Callable[[], Mapping[Stage, RemoteEnd]],
    ) -> None:
        """Lay the way of `ends`. `open_stages` gives the stages, at most once."""
        self._client_end = client_end
        self._server_end = server_end
        self._addresses = addresses
        self._open_stages = open_stages
        self._ways: dict[Layout, Way] = {"ends": self._way({})}
        self._turn(addresses.client, addresses.server)
        self._layout: Layout = "ends"

    def __call__(self, layout: Layout) -> Way:
        """Return the way of `layout`, turned into use."""
        if layout not in self._ways:
            self._ways[layout] = self._routed()
        if layout != self._layout:
            stages, addresses = self._addresses.stages, self._addresses
            if layout == "router":
                self._turn(stages["down-rate"], stages["up-rate"])
            else:
                self._turn(addresses.client, addresses.server)
            self._layout = layout
        return self._ways[layout]

    def _way(self, stages: Mapping[Stage, RemoteEnd]) -> Way:
        return Way(
            client_end=self._client_end,
            server_end=self._server_end,
            address=self._addresses.server.address,
            client_address=self._addresses.client.address,
            stages=stages,
        )

    def _turn(self, towards_client: Address, towards_server: Address) -> None:
        """Fix the first hop of each direction. Without, a fetch would pay for ARP, and ARP draw from netem's stream."""
        self._client_end.neighbour(self._addresses.server.address, towards_server.mac)
        self._server_end.neighbour(self._addresses.client.address, towards_client.mac)

    def _routed(self) -> Way:
        addresses, ends = self._addresses, self._open_stages()
        hops: dict[Stage, tuple[Address, str]] = {
            "down-rate": (addresses.client, addresses.stages["down-delay"].mac),
            "down-delay": (addresses.client, addresses.client.mac),
            "up-rate": (addresses.server, addresses.stages["up-delay"].mac),
            "up-delay": (addresses.server, addresses.server.mac),
        }
        for stage, (goal, mac) in hops.items():
            ends[stage].stop_redirects()
            ends[stage].neighbour(goal.address, mac)
        return self._way(ends)
