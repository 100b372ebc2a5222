"""Capture in the docker bed: a container for one trace, in the namespace of an end, with only NET_RAW."""

from contextlib import ExitStack

from pqbed.agent.lane_part_interfaces import Tap
from pqbed.agent.rpc_proxies import proxy
from pqbed.beds.docker.containers import HOLD, TMPFS, LaneContainers
from pqbed.beds.docker.engine_interface import ContainerSpec, Engine, Owned
from pqbed.beds.docker.lane_session import ReadTimeout, agent_command, open_channel
from pqbed.spec.link_sides import Side


def open_tap(
    engine: Engine, containers: LaneContainers, side: Side, *, read_timeout: ReadTimeout, owner: ExitStack
) -> Tap:
    """Start the container and its agent; `owner` removes it. One left by a killed process is removed with the lane."""
    name = containers.claim.container(f"{side}-tap")
    spec = ContainerSpec(
        name=name,
        image=containers.image,
        argv=HOLD,
        labels=containers.claim.labels("client-tap" if side == "client" else "server-tap"),
        # Root for the same reason as an end's container, with this one capability.
        user="0:0",
        joins=containers.parts[side],
        capabilities=("NET_RAW",),
        tmpfs=TMPFS,
    )
    container = engine.create_container(spec)
    owner.callback(engine.remove, Owned(kind="container", id=container, name=name, labels=spec.labels))
    engine.start_container(container)
    return proxy(
        Tap, open_channel(engine, container, agent_command("tap"), name, read_timeout=read_timeout, owner=owner)
    )
