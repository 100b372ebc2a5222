"""The containers of a lane: brought up whole or not at all, taken down by their labels.

    server      client       hold a namespace each, on the lane's own network, without any capability
    server-end  client-end   join them there, with NET_ADMIN alone, to shape

Each only sleeps: what works there is started by a session (session.py), and ends with it.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from pqbed.beds.docker.addresses import Address, lane_addresses
from pqbed.beds.docker.engine import ContainerSpec, Engine, NetworkAttachment, NetworkSpec, ObjectKind, Owned
from pqbed.beds.docker.labels import LANE, PARTS, ROLE, Part, Role, lane_labels, lane_name, ours, part_name
from pqbed.errors import EngineError, LaneError
from pqbed.net.sysctls import PINS

# The shell takes in the children that a killed session leaves, and goes at once when it is told to.
HOLD = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 86400 & wait $!; done")
TMPFS = {"/tmp": "mode=1777", "/run": "mode=1777"}  # noqa: S108 - the containers' own
STACK_ROLES: Mapping[Part, Role] = {"server": "server-stack", "client": "client-stack"}
# Networks go after the containers on them.
ORDER: tuple[ObjectKind, ...] = ("container", "network", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneContainers:
    """The ids of a lane that is up."""

    index: int
    image: str
    parts: Mapping[Part, str]


def ensure_lane(engine: Engine, index: int, image: str) -> tuple[LaneContainers, bool]:
    """Bring lane `index` up on the image with id `image`; tell whether it had to be made.

    A lane that is up already is taken as it is; one that is not whole, or is on another image, is made anew. On
    failure nothing of it is left. Raises LaneError where another pqbed is using it.
    """
    present = find_lane(engine, index)
    if present is not None and present.image == image:
        return present, False
    remove_lane(engine, index)
    with ExitStack() as undo:
        # By label, not by id: an answer may be lost after the engine has done what it was asked.
        undo.callback(abandon_lane, engine, index)
        parts = _make(engine, index, image)
        undo.pop_all()
    return LaneContainers(index=index, image=image, parts=parts), True


def add_stack(engine: Engine, lane: LaneContainers, side: Part, stack: str, image: str) -> tuple[Owned, str]:
    """Start a container of another stack in the namespace of a lane's server or client; whoever asked removes it.

    One that a killed session left is removed first.
    """
    name, labels = f"{part_name(lane.index, side)}-{stack}", lane_labels(lane.index, STACK_ROLES[side])
    for one in engine.find("container", labels):
        if one.name == name:
            engine.remove(one)
    holder = lane.parts[side]
    spec = ContainerSpec(name=name, image=image, argv=HOLD, labels=labels, joins=holder, tmpfs=TMPFS)
    container = start_container(engine, spec)
    return Owned(kind="container", id=container, name=name, labels=labels), container


def find_lane(engine: Engine, index: int) -> LaneContainers | None:
    """Return lane `index` where it is up and whole, else None. Raises LaneError where another pqbed is using it."""
    present = engine.find("container", ours(index))
    if any(one.busy for one in present):
        raise LaneError(f"lane {index} is in use by another pqbed", hint="wait for it, or end it with `pqbed down`")
    usable = {one.labels.get(ROLE): one for one in present if one.running and one.labels.get(ROLE) in PARTS}
    images = {one.image for one in usable.values()}
    if set(usable) != set(PARTS) or len(images) != 1:
        return None
    return LaneContainers(index=index, image=images.pop(), parts={part: usable[part].id for part in PARTS})


def remove_lane(engine: Engine, index: int) -> None:
    """Remove everything that carries our label and this lane's number."""
    remove_labelled(engine, ours(index))


def abandon_lane(engine: Engine, index: int) -> None:
    """Remove a lane on the way out of a failure: an engine that stumbles over that too is asked once more."""
    try:
        remove_lane(engine, index)
    except EngineError:
        remove_lane(engine, index)


def remove_labelled(engine: Engine, labels: Mapping[str, str | None]) -> list[Owned]:
    """Remove everything that carries `labels`, and return it."""
    removed: list[Owned] = []
    for kind in ORDER:
        things = engine.find(kind, labels)
        # A container that joins another one's namespace goes before it.
        for thing in sorted(things, key=_joins, reverse=True):
            engine.remove(thing)
            removed.append(thing)
    return removed


def running_lanes(engine: Engine) -> dict[int, list[Owned]]:
    """Return the containers of each lane, whole or not."""
    found: dict[int, list[Owned]] = {}
    for one in engine.find("container", ours()):
        number = one.labels.get(LANE, "")
        if number.isdecimal():
            found.setdefault(int(number), []).append(one)
    return dict(sorted(found.items()))


def _make(engine: Engine, index: int, image: str) -> dict[Part, str]:
    plan = lane_addresses(index)
    name = lane_name(index)
    labels = lane_labels(index, "network")
    engine.create_network(NetworkSpec(name=name, subnet=plan.subnet, gateway=plan.gateway, labels=labels))
    parts: dict[Part, str] = {}
    parts["server"] = start_container(engine, _holder(index, "server", image, plan.server))
    parts["client"] = start_container(engine, _holder(index, "client", image, plan.client))
    parts["server-end"] = start_container(engine, _end(index, "server-end", image, parts["server"]))
    parts["client-end"] = start_container(engine, _end(index, "client-end", image, parts["client"]))
    return parts


def start_container(engine: Engine, spec: ContainerSpec) -> str:
    """Make a container and start it; return its id. Raises EngineError with its last words."""
    container = engine.create_container(spec)
    try:
        engine.start_container(container)
    except EngineError as error:
        words = engine.last_words(container)
        raise EngineError(
            f"{spec.name}: {error.message}{'; it said: ' + words if words else ''}", error.hint
        ) from error
    return container


def _holder(index: int, part: Part, image: str, address: Address) -> ContainerSpec:
    return ContainerSpec(
        name=part_name(index, part),
        image=image,
        argv=HOLD,
        labels=lane_labels(index, part),
        attachment=NetworkAttachment(network=lane_name(index), address=address.address, mac=address.mac),
        sysctls=PINS,
        tmpfs=TMPFS,
    )


def _end(index: int, part: Part, image: str, holder: str) -> ContainerSpec:
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
