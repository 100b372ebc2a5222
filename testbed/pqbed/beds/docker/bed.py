"""The docker bed: lanes as containers of one engine, wherever that engine is."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol

from pqbed.beds.bed import BedName
from pqbed.beds.docker.containers import LaneContainers, abandon_lane, lanes_up, remove_labelled, up_lane
from pqbed.beds.docker.engine import Engine, Owned
from pqbed.beds.docker.images import remove_images
from pqbed.beds.docker.labels import ours
from pqbed.beds.docker.lane import DockerLane
from pqbed.beds.docker.netem import require_netem
from pqbed.errors import SpecError
from pqbed.spec.options import Clock
from pqbed.spec.profile import Profile


class PrepareImages(Protocol):
    """Makes or finds the images of all stacks on an engine: their ids by stack."""

    def __call__(self, engine: Engine) -> Mapping[str, str]: ...


class DockerBed:
    """Provides lanes on `engine` (see `beds.bed.Bed`)."""

    name: BedName = "docker"
    clock: Clock = "real"

    def __init__(self, engine: Engine, prepare_images: PrepareImages) -> None:
        self._engine = engine
        self._prepare_images = prepare_images
        self._images: Mapping[str, str] = {}

    def prepare(self) -> dict[str, str]:
        """Make or find the images; return their ids by stack."""
        self._images = self._prepare_images(self._engine)
        return dict(self._images)

    def up(self, lanes: int, stack: str = "openssl") -> list[LaneContainers]:
        """Bring lanes 0 to `lanes` - 1 up and leave them up. Those made before a failure are removed again.

        Raises HostError where they cannot be shaped.
        """
        image = self._image(stack)
        up: list[LaneContainers] = []
        with ExitStack() as undo:
            for index in range(lanes):
                lane, made = up_lane(self._engine, index, image)
                if made:
                    undo.callback(abandon_lane, self._engine, index)
                up.append(lane)
            if up:
                require_netem(self._engine, up[0].parts["client-end"])
            undo.pop_all()
        return up

    def lanes(self) -> dict[int, list[Owned]]:
        """Return the containers of the lanes that are up."""
        return lanes_up(self._engine)

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> DockerLane:
        """Start a session on lane `index`. One that is up stays up; one that was not is made, and goes with it."""
        containers, made = up_lane(self._engine, index, self._image(stack_of(profiles)))
        owner = ExitStack()
        if made:
            owner.callback(abandon_lane, self._engine, index)
        return DockerLane(self._engine, containers, profiles, timeout_ns, owner, keeps_link=not made)

    def take_down(self, images: bool = False) -> tuple[str, ...]:
        """Remove what is ours on the engine (see the function below)."""
        return take_down(self._engine, images=images)

    def close(self) -> None:
        """Leave the engine; each lane ends its own session, and what is up stays up."""
        self._engine.close()

    def _image(self, stack: str) -> str:
        if not self._images:
            self.prepare()
        if stack not in self._images:
            raise SpecError(f"there is no stack {stack!r}; there are {', '.join(sorted(self._images))}")
        return self._images[stack]


def stack_of(profiles: Sequence[Profile]) -> str:
    """Return the stack of all `profiles`. Raises SpecError where they are of several."""
    stacks = {profile.stack for profile in profiles}
    if len(stacks) != 1:
        raise SpecError(f"a lane serves one stack, not {', '.join(sorted(stacks)) or 'none'}")
    return stacks.pop()


def take_down(engine: Engine, *, images: bool = False) -> tuple[str, ...]:
    """Remove every container, network and volume with our label, whoever left it; images only where asked.

    Returns their kinds and names.
    """
    removed = tuple(f"{thing.kind} {thing.name}" for thing in remove_labelled(engine, ours()))
    return removed + (remove_images(engine) if images else ())
