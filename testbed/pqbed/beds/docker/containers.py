"""Containers of a lane: started all or none, removed by their labels.

    server      client       hold a namespace each, on the lane's own network, without any capability
    server-end  client-end   join them there, with NET_ADMIN alone, to shape

Each only sleeps; a session (session.py) starts the agents in them and ends them.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from pqbed.beds.docker.addresses import Address, lane_addresses
from pqbed.beds.docker.engine import ContainerSpec, Engine, NetworkAttachment, NetworkSpec, ObjectKind, Owned
from pqbed.beds.docker.labels import LANE, PARTS, ROLE, LanePart, Role, lane_labels, lane_name, ours, part_name
from pqbed.errors import EngineError, LaneError
from pqbed.net.sysctls import PINS

# The shell reaps the children that a killed session leaves, and exits at once on SIGTERM.
HOLD = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 86400 & wait $!; done")
TMPFS = {"/tmp": "mode=1777", "/run": "mode=1777"}  # noqa: S108 - the containers' own
STACK_ROLES: Mapping[LanePart, Role] = {"server": "server-stack", "client": "client-stack"}
# Networks go after the containers on them.
ORDER: tuple[ObjectKind, ...] = ("container", "network", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneContainers:
    """The container ids of a running lane."""

    index: int
    image: str
    parts: Mapping[LanePart, str]


def ensure_lane(engine: Engine, index: int, image: str) -> tuple[LaneContainers, bool]:
    """Return lane `index` on the image with id `image`, and whether it had to be created.

    A running lane is kept; an incomplete one, or one on another image, is created again. On failure nothing of it is
    left. Raises LaneError if another pqbed is using it.
    """
    present = find_lane(engine, index)
    if present is not None and present.image == image:
        return present, False
    remove_lane(engine, index)
    with ExitStack() as undo:
        # By label, not by id: the answer to a request that succeeded may be lost.
        undo.callback(abandon_lane, engine, index)
        parts = _create(engine, index, image)
        undo.pop_all()
    return LaneContainers(index=index, image=image, parts=parts), True


def add_stack(engine: Engine, lane: LaneContainers, side: LanePart, stack: str, image: str) -> tuple[Owned, str]:
    """Start a container of another stack in the namespace of a lane's server or client; the caller removes it.

    One that a killed session left is removed first.
    """
    name, labels = f"{part_name(lane.index, side)}-{stack}", lane_labels(lane.index, STACK_ROLES[side])
    for container in engine.find("container", labels):
        if container.name == name:
            engine.remove(container)
    holder = lane.parts[side]
    spec = ContainerSpec(name=name, image=image, argv=HOLD, labels=labels, joins=holder, tmpfs=TMPFS)
    container_id = start_container(engine, spec)
    return Owned(kind="container", id=container_id, name=name, labels=labels), container_id


def find_lane(engine: Engine, index: int) -> LaneContainers | None:
    """Return lane `index` if it is running and complete, else None. Raises LaneError if another pqbed is using it."""
    present = engine.find("container", ours(index))
    if any(container.busy for container in present):
        raise LaneError(f"lane {index} is in use by another pqbed", hint="wait for it, or end it with `pqbed down`")
    running = [container for container in present if container.running]
    usable = {container.labels[ROLE]: container for container in running if container.labels.get(ROLE) in PARTS}
    images = {container.image for container in usable.values()}
    if set(usable) != set(PARTS) or len(images) != 1:
        return None
    return LaneContainers(index=index, image=images.pop(), parts={part: usable[part].id for part in PARTS})


def remove_lane(engine: Engine, index: int) -> None:
    """Remove everything with our label and this lane's number."""
    remove_labelled(engine, ours(index))


def abandon_lane(engine: Engine, index: int) -> None:
    """Remove a lane after a failure; if the engine fails at that too, try once more."""
    try:
        remove_lane(engine, index)
    except EngineError:
        remove_lane(engine, index)


def remove_labelled(engine: Engine, labels: Mapping[str, str | None]) -> list[Owned]:
    """Remove everything with `labels`, and return it."""
    removed: list[Owned] = []
    for kind in ORDER:
        things = engine.find(kind, labels)
        # A container that joins another one's namespace is removed before it.
        for thing in sorted(things, key=_joins, reverse=True):
            engine.remove(thing)
            removed.append(thing)
    return removed


def running_lanes(engine: Engine) -> dict[int, list[Owned]]:
    """Return the containers of each lane, complete or not."""
    lanes: dict[int, list[Owned]] = {}
    for container in engine.find("container", ours()):
        number = container.labels.get(LANE, "")
        if number.isdecimal():
            lanes.setdefault(int(number), []).append(container)
    return dict(sorted(lanes.items()))


def _create(engine: Engine, index: int, image: str) -> dict[LanePart, str]:
    plan = lane_addresses(index)
    name = lane_name(index)
    labels = lane_labels(index, "network")
    engine.create_network(NetworkSpec(name=name, subnet=plan.subnet, gateway=plan.gateway, labels=labels))
    parts: dict[LanePart, str] = {}
    parts["server"] = start_container(engine, _holder(index, "server", image, plan.server))
    parts["client"] = start_container(engine, _holder(index, "client", image, plan.client))
    parts["server-end"] = start_container(engine, _end(index, "server-end", image, parts["server"]))
    parts["client-end"] = start_container(engine, _end(index, "client-end", image, parts["client"]))
    return parts


def start_container(engine: Engine, spec: ContainerSpec) -> str:
    """Create and start a container; return its id. Raises EngineError with its last output."""
    container = engine.create_container(spec)
    try:
        engine.start_container(container)
    except EngineError as error:
        words = engine.last_words(container)
        raise EngineError(
            f"{spec.name}: {error.message}{'; its last output: ' + words if words else ''}", error.hint
        ) from error
    return container


def _holder(index: int, part: LanePart, image: str, address: Address) -> ContainerSpec:
    return ContainerSpec(
        name=part_name(index, part),
        image=image,
        argv=HOLD,
        labels=lane_labels(index, part),
        attachment=NetworkAttachment(network=lane_name(index), address=address.address, mac=address.mac),
        sysctls=PINS,
        tmpfs=TMPFS,
    )


def _end(index: int, part: LanePart, image: str, holder: str) -> ContainerSpec:
    return ContainerSpec(
        name=part_name(index, part),
        image=image,
        argv=HOLD,
        labels=lane_labels(index, part),
        # A capability reaches a process of another user only through a file that carries it: so root, with this one.
        user="0:0",
        joins=holder,
        capabilities=("NET_ADMIN",),
        tmpfs=TMPFS,
    )


def _joins(thing: Owned) -> bool:
    return thing.labels.get(ROLE, "").endswith(("-end", "-tap", "-stack"))
