"""Docker bed: lanes as containers of one engine, local or remote."""

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
    """Finds or builds the images of `stacks`, and that of lanes, on an engine; returns their ids by stack."""

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
        """Find or build the images; return their ids by stack."""
        self._images |= self._prepare_images(self._engine, stacks)
        return dict(self._images)

    def up(self, lanes: int) -> list[LaneContainers]:
        """Start lanes 0 to `lanes` - 1 and leave them running. Lanes created before a failure are removed again.

        Raises HostError if they cannot be shaped.
        """
        image = self._images_of(())[DEFAULT_STACK]
        up: list[LaneContainers] = []
        with ExitStack() as undo:
            for index in range(lanes):
                lane, created = ensure_lane(self._engine, index, image)
                if created:
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
        """Start a session on lane `index`. A running lane is kept; a new one is removed with the session."""
        images = self._images_of(stacks_of(profiles))
        containers, created = ensure_lane(self._engine, index, images[DEFAULT_STACK])
        owner = ExitStack()
        if created:
            owner.callback(abandon_lane, self._engine, index)
        return DockerLane(self._engine, containers, profiles, timeout_ns, owner, images=images, keeps_link=not created)

    def take_down(self, images: bool = False) -> tuple[str, ...]:
        """Remove everything with our label from the engine (see the function below)."""
        return take_down(self._engine, images=images)

    def close(self) -> None:
        """Close the connections to the engine; each lane ends its own session, and running lanes keep running."""
        self._engine.close()

    def _images_of(self, stacks: Sequence[str]) -> Mapping[str, str]:
        if not {DEFAULT_STACK, *stacks} <= set(self._images):
            self.prepare(stacks)
        return self._images


def take_down(engine: Engine, *, images: bool = False) -> tuple[str, ...]:
    """Remove every container, network and volume with our label; images only if requested.

    Returns their kinds and names.
    """
    removed = tuple(f"{thing.kind} {thing.name}" for thing in remove_labelled(engine, ours()))
    return removed + (remove_images(engine) if images else ())
