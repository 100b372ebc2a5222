"""Docker bed: lanes as containers of one engine, local or remote."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol

from pqbed.beds.bed_interface import BedName
from pqbed.beds.docker.containers import (
    MENDING_HINT,
    abandon_lane,
    create_lane,
    ensure_lane,
    examine_lane,
    find_labelled,
    remove_labelled,
)
from pqbed.beds.docker.endpoint import DockerEndpoint
from pqbed.beds.docker.engine_interface import Engine
from pqbed.beds.docker.labels import OWNER, UP, Creator, everyones, owned_by, this_run
from pqbed.beds.docker.lane import DockerLane
from pqbed.beds.docker.netem_probe import require_netem
from pqbed.errors import LaneError
from pqbed.spec.profile import DEFAULT_STACK, Profile, stacks_of
from pqbed.spec.run_options import Clock

# The lane of `pqbed up`.
UP_LANE = 0


class PrepareImages(Protocol):
    """Finds or builds the images of `stacks`, and that of lanes, on an engine; returns their ids by stack."""

    def __call__(self, engine: Engine, stacks: Sequence[str]) -> Mapping[str, str]: ...


class DockerBed:
    """Provides lanes on `engine` (see `beds.bed.Bed`), each in a slot of the engine that no other lane has."""

    name: BedName = "docker"
    clock: Clock = "real"

    def __init__(self, engine: Engine, prepare_images: PrepareImages, creator: Creator | None = None) -> None:
        """Create for `creator`: by default this process, for this user."""
        self._engine = engine
        self._prepare_images = prepare_images
        self._creator = creator or this_run()
        self._images: dict[str, str] = {}

    @property
    def endpoint(self) -> DockerEndpoint:
        """The engine that lanes run on."""
        return self._engine.endpoint

    def prepare(self, stacks: Sequence[str] = ()) -> dict[str, str]:
        """Find or build the images; return their ids by stack."""
        self._images |= self._prepare_images(self._engine, stacks)
        return dict(self._images)

    def up(self) -> bool:
        """Start the lane that outlives this process; return whether it had to be created. A whole one is kept.

        Raises HostError if it cannot be shaped; then nothing of it is left.
        """
        image = self._images_of(())[DEFAULT_STACK]
        lane, created = ensure_lane(self._engine, self._up, UP_LANE, image)
        with ExitStack() as undo:
            if created:
                undo.callback(self.abandon_up)
            require_netem(self._engine, lane.parts["client-end"])
            undo.pop_all()
        return created

    def abandon_up(self) -> None:
        """Remove the lane of `up`."""
        abandon_lane(self._engine, self._up, UP_LANE)

    def open_up_lane(self, profiles: Sequence[Profile], timeout_ns: int) -> DockerLane:
        """Start a session on the lane of `up`. Raises LaneError, with the cure, if it is not as `up` left it."""
        images = self._images_of(stacks_of(profiles))
        lane, fault = examine_lane(self._engine, self._up, UP_LANE)
        if lane is not None and lane.image != images[DEFAULT_STACK]:
            fault = "its image is of another version of pqbed"
        if lane is None or fault:
            raise LaneError(f"the lane that `pqbed up` started cannot be used: {fault}", MENDING_HINT)
        return DockerLane(self._engine, lane, profiles, timeout_ns, ExitStack(), images=images, keeps_link=True)

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> DockerLane:
        """Create lane `index` of this process and start a session on it; it is removed with the session."""
        images = self._images_of(stacks_of(profiles))
        lane = create_lane(self._engine, self._creator, index, images[DEFAULT_STACK])
        owner = ExitStack()
        owner.callback(abandon_lane, self._engine, self._creator, index)
        return DockerLane(self._engine, lane, profiles, timeout_ns, owner, images=images)

    def close(self) -> None:
        """Close the connections to the engine; each lane ends its own session, and the lane of `up` keeps running."""
        self._engine.close()

    @property
    def _up(self) -> Creator:
        return Creator(owner=self._creator.owner, run=UP)

    def _images_of(self, stacks: Sequence[str]) -> Mapping[str, str]:
        if not {DEFAULT_STACK, *stacks} <= set(self._images):
            self.prepare(stacks)
        return self._images


def up_lane_fault(engine: Engine, owner: str) -> str:
    """Return what has happened to the lane that `up` left; "" if it is whole, or in use."""
    try:
        return examine_lane(engine, Creator(owner=owner, run=UP), UP_LANE)[1]
    except LaneError:
        return ""


def take_down(engine: Engine, owner: str | None) -> tuple[str, ...]:
    """Remove every container, network and volume of `owner`, or of everyone (None); return their kinds and names."""
    labels = everyones() if owner is None else owned_by(owner)
    return tuple(f"{thing.kind} {thing.name}" for thing in remove_labelled(engine, labels))


def owners_on(engine: Engine) -> dict[str, tuple[str, ...]]:
    """Return everything of pqbed on an engine, by owner ("" for things without one)."""
    owners: dict[str, tuple[str, ...]] = {}
    for thing in find_labelled(engine, everyones()):
        owner = thing.labels.get(OWNER, "")
        owners[owner] = (*owners.get(owner, ()), f"{thing.kind} {thing.name}")
    return owners
