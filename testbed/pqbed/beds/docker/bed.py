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
        """Bring lanes 0 to `lanes` - 1 up and leave them up. Those made before a failure are removed again."""
        image = self._image(stack)
        up: list[LaneContainers] = []
        with ExitStack() as undo:
            for index in range(lanes):
                lane, made = up_lane(self._engine, index, image)
                if made:
                    undo.callback(abandon_lane, self._engine, index)
                up.append(lane)
            undo.pop_all()
        return up

    def down(self, images: bool = False) -> list[Owned]:
        """Remove everything of ours on the engine, whoever left it, and return it; images only where asked."""
        return take_down(self._engine, images=images)

    def lanes(self) -> dict[int, list[Owned]]:
        """Return the containers of the lanes that are up."""
        return lanes_up(self._engine)

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> DockerLane:
        """Start a session on lane `index`. A lane that was not up is made for it, and goes with it."""
        stacks = {profile.stack for profile in profiles}
        if len(stacks) != 1:
            raise SpecError(f"a lane serves one stack, not {', '.join(sorted(stacks)) or 'none'}")
        containers, made = up_lane(self._engine, index, self._image(stacks.pop()))
        owner = ExitStack()
        if made:
            owner.callback(abandon_lane, self._engine, index)
        return DockerLane(self._engine, containers, profiles, timeout_ns, owner)

    def close(self) -> None:
        """Nothing to end: each lane ends its own session, and `up` means to stay."""

    def _image(self, stack: str) -> str:
        if not self._images:
            self.prepare()
        if stack not in self._images:
            raise SpecError(f"there is no stack {stack!r}; there are {', '.join(sorted(self._images))}")
        return self._images[stack]


def take_down(engine: Engine, images: bool = False) -> list[Owned]:
    """Remove every container, network and volume with our label, and return them; images only where asked."""
    removed = remove_labelled(engine, ours())
    if images:
        remove_images(engine)
    return removed
