"""Containers of a lane: started all or none, removed by their labels.

    server      client       hold a namespace each, on the lane's own network, without any capability
    server-end  client-end   join them there, with NET_ADMIN alone, to shape

Each only sleeps; a session (session.py) starts the agents in them and ends them.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

from pqbed.beds.docker.addresses import Address, free_slots, slot_addresses
from pqbed.beds.docker.engine_interface import (
    ContainerSpec,
    Engine,
    NetworkAttachment,
    NetworkSpec,
    ObjectKind,
    Owned,
    TakenError,
)
from pqbed.beds.docker.labels import PARTS, ROLE, SLOT, Creator, LaneClaim, LanePart, Role, lane_of
from pqbed.errors import EngineError, LaneError
from pqbed.net.addresses import BENCHMARK_NETWORK
from pqbed.net.sysctls import PINS

# The shell reaps the children that a killed session leaves, and exits at once on SIGTERM.
HOLD = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 86400 & wait $!; done")
# Room on /run for the bodies that a server offers; they count as memory of the container.
TMPFS = {"/tmp": "mode=1777,size=256m", "/run": "mode=1777,size=1g"}  # noqa: S108 - the containers' own
STACK_ROLES: Mapping[LanePart, Role] = {"server": "server-stack", "client": "client-stack"}
HOLDERS: Mapping[LanePart, LanePart] = {"server-end": "server", "client-end": "client"}
# Networks go after the containers on them.
ORDER: tuple[ObjectKind, ...] = ("container", "network", "volume")
# Other processes may claim slots at the same moment: as many races as this may be lost in a row.
CLAIMS = 64
MENDING_HINT = "`pqbed up` makes it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneContainers:
    """The container ids of a running lane."""

    claim: LaneClaim
    image: str
    parts: Mapping[LanePart, str]

    @property
    def index(self) -> int:
        return self.claim.index


def create_lane(engine: Engine, creator: Creator, index: int, image: str) -> LaneContainers:
    """Create lane `index` on the image with id `image`, in the first slot that is free on the engine.

    A slot is claimed by creating its network, which the engine refuses to one of two that ask at the same time. On
    failure nothing of the lane is left. Raises EngineError if every slot is taken.
    """
    refusal: TakenError | None = None
    for slot in islice(free_slots(engine.subnets()), CLAIMS):
        claim = LaneClaim(creator=creator, index=index, slot=slot)
        with ExitStack() as undo:
            # By label, not by id: the answer to a request that succeeded may be lost.
            undo.callback(abandon_lane, engine, creator, index)
            try:
                parts = _create(engine, claim, image)
            except TakenError as error:
                refusal = error
                continue
            undo.pop_all()
        return LaneContainers(claim=claim, image=image, parts=parts)
    reason = f"; the last one: {refusal.message}" if refusal is not None else ""
    raise EngineError(
        f"this engine has no free addresses for a lane in {BENCHMARK_NETWORK}{reason}",
        hint="`docker network ls` shows who has them; `pqbed down --all` removes lanes, whoever left them",
    )


def ensure_lane(engine: Engine, creator: Creator, index: int, image: str) -> tuple[LaneContainers, bool]:
    """Return lane `index` on the image with id `image`, and whether it had to be created.

    A whole lane is kept; one with a fault, or on another image, is created again. Raises LaneError if it is in use.
    """
    lane, _fault = examine_lane(engine, creator, index)
    if lane is not None and lane.image == image:
        return lane, False
    remove_lane(engine, creator, index)
    return create_lane(engine, creator, index, image), True


def examine_lane(engine: Engine, creator: Creator, index: int) -> tuple[LaneContainers | None, str]:
    """Return lane `index` if it is whole, else None and its fault. Raises LaneError if a program is running in it."""
    present = engine.find("container", lane_of(creator, index))
    for container in present:
        if container.busy:
            raise LaneError(f"a program is running in {container.name}", hint="wait for it, or end it")
    parts: dict[LanePart, Owned] = {part: each for part in PARTS for each in present if each.labels.get(ROLE) == part}
    fault = _fault_of(parts)
    if fault:
        return None, fault
    first = parts["server"]
    claim = LaneClaim(creator=creator, index=index, slot=int(first.labels[SLOT]))
    return LaneContainers(claim=claim, image=first.image, parts={part: parts[part].id for part in PARTS}), ""


def _fault_of(parts: Mapping[LanePart, Owned]) -> str:
    """Return what keeps the parts from being a lane; "" if nothing does."""
    for part in PARTS:
        if part not in parts:
            return f"its container {part} is gone" if parts else "its containers are gone"
        if not parts[part].running:
            return f"its container {parts[part].name} has stopped"
    if len({(container.image, container.labels.get(SLOT)) for container in parts.values()}) != 1:
        return "its containers are not of one image"
    for end, holder in HOLDERS.items():
        network = parts[holder].name.removesuffix(f"-{holder}")
        if network not in parts[holder].networks:
            return f"its container {parts[holder].name} is no longer on the network {network}"
        # An end stays in the namespace that its holder had when the end was started.
        if parts[end].started_ns < parts[holder].started_ns:
            return f"its container {parts[holder].name} was restarted"
    return ""


def add_stack(engine: Engine, lane: LaneContainers, side: LanePart, stack: str, image: str) -> tuple[Owned, str]:
    """Start a container of another stack in the namespace of a lane's server or client; the caller removes it.

    One that a killed session left is removed first.
    """
    name, labels = lane.claim.container(f"{side}-{stack}"), lane.claim.labels(STACK_ROLES[side])
    for container in engine.find("container", labels):
        if container.name == name:
            engine.remove(container)
    holder = lane.parts[side]
    spec = ContainerSpec(name=name, image=image, argv=HOLD, labels=labels, joins=holder, tmpfs=TMPFS)
    container_id = start_container(engine, spec)
    return Owned(kind="container", id=container_id, name=name, labels=labels), container_id


def remove_lane(engine: Engine, creator: Creator, index: int) -> None:
    """Remove everything of a lane."""
    remove_labelled(engine, lane_of(creator, index))


def abandon_lane(engine: Engine, creator: Creator, index: int) -> None:
    """Remove a lane after a failure; if the engine fails at that too, try once more."""
    try:
        remove_lane(engine, creator, index)
    except EngineError:
        remove_lane(engine, creator, index)


def remove_labelled(engine: Engine, labels: Mapping[str, str | None]) -> list[Owned]:
    """Remove everything with `labels`, and return it."""
    removed: list[Owned] = []
    for thing in find_labelled(engine, labels):
        engine.remove(thing)
        removed.append(thing)
    return removed


def find_labelled(engine: Engine, labels: Mapping[str, str | None]) -> Sequence[Owned]:
    """Return everything with `labels`, in an order in which it can be removed."""
    # A container that joins another one's namespace is removed before it.
    return [thing for kind in ORDER for thing in sorted(engine.find(kind, labels), key=_joins, reverse=True)]


def _create(engine: Engine, claim: LaneClaim, image: str) -> dict[LanePart, str]:
    plan = slot_addresses(claim.slot)
    network = NetworkSpec(name=claim.network, subnet=plan.subnet, gateway=plan.gateway, labels=claim.labels("network"))
    engine.create_network(network)
    parts: dict[LanePart, str] = {}
    parts["server"] = start_container(engine, _holder(claim, "server", image, plan.server))
    parts["client"] = start_container(engine, _holder(claim, "client", image, plan.client))
    parts["server-end"] = start_container(engine, _end(claim, "server-end", image, parts["server"]))
    parts["client-end"] = start_container(engine, _end(claim, "client-end", image, parts["client"]))
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


def _holder(claim: LaneClaim, part: LanePart, image: str, address: Address) -> ContainerSpec:
    return ContainerSpec(
        name=claim.container(part),
        image=image,
        argv=HOLD,
        labels=claim.labels(part),
        attachment=NetworkAttachment(network=claim.network, address=address.address, mac=address.mac),
        sysctls=PINS,
        tmpfs=TMPFS,
    )


def _end(claim: LaneClaim, part: LanePart, image: str, holder: str) -> ContainerSpec:
    return ContainerSpec(
        name=claim.container(part),
        image=image,
        argv=HOLD,
        labels=claim.labels(part),
        # A capability reaches a process of another user only through a file that carries it: so root, with this one.
        user="0:0",
        joins=holder,
        capabilities=("NET_ADMIN",),
        tmpfs=TMPFS,
    )


def _joins(thing: Owned) -> bool:
    return thing.labels.get(ROLE, "").endswith(("-end", "-tap", "-stack"))
