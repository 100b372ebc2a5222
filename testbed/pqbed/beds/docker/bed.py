"""The docker bed: lanes as containers of one engine, wherever that engine is."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol

from pqbed.beds.bed import BedName
from pqbed.beds.docker.containers import LaneContainers, abandon_lane, ensure_lane, remove_labelled, running_lanes
from pqbed.beds.docker.engine import Engine, Owned
from pqbed.beds.docker.images import remove_images
from pqbed.beds.docker.labels import ours
from pqbed.beds.docker.lane import DockerLane
from pqbed.beds.docker.netem import require_netem
from pqbed.spec.options import Clock
from pqbed.spec.profile import DEFAULT_STACK, Profile, stacks_of


class PrepareImages(Protocol):
    """Makes or finds the images of `stacks`, and that of lanes, on an engine: their ids by stack."""

    def __call__(self, engine: Engine, stacks: Sequence[str]) -> Mapping[str, str]: ...


class DockerBed:
    """Provides lanes on `engine` (see `beds.bed.Bed`)."""

    name: BedName = "docker"
    clock: Clock = "real"

    def __init__(self, engine: Engine, prepare_images: PrepareImages) -> None:
        self._engine = engine
        self._prepare_images = prepare_images
        self._images: dict[str, str] = {}

    def prepare(self, stacks: Sequence[str] = ()) -> dict[str, str]:
        """Make or find the images; return their ids by stack."""
        self._images |= self._prepare_images(self._engine, stacks)
        return dict(self._images)

    def up(self, lanes: int) -> list[LaneContainers]:
        """Bring lanes 0 to `lanes` - 1 up and leave them up. Those made before a failure are removed again.

        Raises HostError where they cannot be shaped.
        """
        image = self._images_of(())[DEFAULT_STACK]
        up: list[LaneContainers] = []
        with ExitStack() as undo:
            for index in range(lanes):
                lane, made = ensure_lane(self._engine, index, image)
                if made:
                    undo.callback(abandon_lane, self._engine, index)
                up.append(lane)
            if up:
                require_netem(self._engine, up[0].parts["client-end"])
            undo.pop_all()
        return up

    def lanes(self) -> dict[int, list[Owned]]:
        """Return the containers of the lanes that are up."""
        return running_lanes(self._engine)

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> DockerLane:
        """Start a session on lane `index`. One that is up stays up; one that was not is made, and goes with it."""
        images = self._images_of(stacks_of(profiles))
        containers, made = ensure_lane(self._engine, index, images[DEFAULT_STACK])
        owner = ExitStack()
        if made:
            owner.callback(abandon_lane, self._engine, index)
        return DockerLane(self._engine, containers, profiles, timeout_ns, owner, images=images, keeps_link=not made)

    def take_down(self, images: bool = False) -> tuple[str, ...]:
        """Remove what is ours on the engine (see the function below)."""
        return take_down(self._engine, images=images)

    def close(self) -> None:
        """Leave the engine; each lane ends its own session, and what is up stays up."""
        self._engine.close()

    def _images_of(self, stacks: Sequence[str]) -> Mapping[str, str]:
        if not {DEFAULT_STACK, *stacks} <= set(self._images):
            self.prepare(stacks)
        return self._images


def take_down(engine: Engine, *, images: bool = False) -> tuple[str, ...]:
    """Remove every container, network and volume with our label, whoever left it; images only where asked.

    Returns their kinds and names.
    """
    removed = tuple(f"{thing.kind} {thing.name}" for thing in remove_labelled(engine, ours()))
    return removed + (remove_images(engine) if images else ())
