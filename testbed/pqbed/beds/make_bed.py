"""Construction of beds from their parts. Builds and starts nothing; imports only the bed asked for."""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pqbed.artefacts import OnStep
from pqbed.beds.bed_interface import Bed, BedName
from pqbed.beds.host_checks import probe_engine, runs_guests
from pqbed.errors import HostError
from pqbed.spec.profile import DEFAULT_STACK
from pqbed.spec.run_options import Clock

if TYPE_CHECKING:
    from pqbed.artefacts import DockerContext, UmlArtefacts
    from pqbed.beds.docker.endpoint import DockerEndpoint
    from pqbed.beds.docker.engine_interface import Engine
    from pqbed.beds.lane_process import LaneProcess
    from pqbed.beds.netns_bed import RootFilesystem

GUEST = "uml"
# In the guest image (images/uml/Dockerfile, and that of the stack it is built on).
GUEST_KERNEL = "/opt/pqbed/kernel/linux"
GUEST_SOURCE = "/opt/pqbed"


class MakeBed(Protocol):
    """Return a bed on `clock`; `on_step` and `ca_bundle` serve its `prepare`."""

    def __call__(self, clock: Clock, on_step: OnStep, ca_bundle: Path | None) -> Bed: ...


def make_docker(clock: Clock, on_step: OnStep, ca_bundle: Path | None, endpoint: "DockerEndpoint | None" = None) -> Bed:
    """Make the docker bed on the engine at `endpoint`, by default the configured one. Raises EngineError."""
    from pqbed.beds.docker.bed import DockerBed
    from pqbed.beds.docker.docker_sdk_engine import connect

    assert clock == "real"
    return DockerBed(connect(endpoint), lambda engine, stacks: ensure_images(engine, stacks, on_step, ca_bundle))


def docker_refusal(on_step: OnStep, ca_bundle: Path | None) -> HostError | None:
    """Return None if containers of the engine can be shaped, else the reason. Builds the image that it asks with."""
    from pqbed.beds.docker.docker_sdk_engine import connect
    from pqbed.beds.docker.netem_probe import netem_in_engine

    with connect() as engine:
        return netem_in_engine(engine, ensure_images(engine, (), on_step, ca_bundle)[DEFAULT_STACK])


def has_images(stacks: Iterable[str]) -> bool:
    """Return whether the configured engine has the images of `stacks` and that of lanes. Raises EngineError."""
    from pqbed.artefacts import stack_contexts
    from pqbed.beds.docker.docker_sdk_engine import connect

    with connect() as engine:
        return all(engine.image_id(one.reference) for one in stack_contexts((DEFAULT_STACK, *stacks)))


def missing_in_containers() -> tuple[str, ...] | None:
    """Return what the kernel of the configured engine lacks beyond netem; None without an image to ask with."""
    from pqbed.artefacts import stack_contexts
    from pqbed.beds.docker.docker_sdk_engine import connect
    from pqbed.beds.docker.netem_probe import missing_in_engine

    (recipe,) = stack_contexts((DEFAULT_STACK,))
    with connect() as engine:
        image = engine.image_id(recipe.reference)
        return None if image is None else missing_in_engine(engine, image)


def clean_engine(endpoint: "DockerEndpoint", owner: str | None, *, images: bool = False) -> tuple[str, ...]:
    """Remove everything of `owner`, or of everyone (None), from an engine, and images if asked; return its names."""
    from pqbed.beds.docker.bed import take_down
    from pqbed.beds.docker.docker_sdk_engine import connect
    from pqbed.beds.docker.images import remove_images

    with connect(endpoint) as engine:
        return take_down(engine, owner) + (remove_images(engine) if images else ())


def engine_owners(endpoint: "DockerEndpoint") -> dict[str, tuple[str, ...]]:
    """Return everything of pqbed on an engine, by owner."""
    from pqbed.beds.docker.bed import owners_on
    from pqbed.beds.docker.docker_sdk_engine import connect

    with connect(endpoint) as engine:
        return owners_on(engine)


def up_fault(endpoint: "DockerEndpoint") -> str:
    """Return what has happened to the lane that `up` left; "" if it is whole. Raises EngineError without an engine."""
    from pqbed.beds.docker.bed import up_lane_fault
    from pqbed.beds.docker.docker_sdk_engine import connect
    from pqbed.beds.docker.labels import owner_name

    with connect(endpoint) as engine:
        return up_lane_fault(engine, owner_name())


def ensure_images(engine: "Engine", stacks: Iterable[str], on_step: OnStep, ca_bundle: Path | None) -> dict[str, str]:
    """Find or build the images of `stacks` and of the default stack.

    Returns their ids by stack. Raises BuildError, HostError.
    """
    from pqbed.artefacts import stack_contexts

    return _ensure(engine, stack_contexts((DEFAULT_STACK, *stacks), on_step, ca_bundle), on_step, ca_bundle)


def ensure_guest_images(
    engine: "Engine", stacks: Iterable[str], on_step: OnStep, ca_bundle: Path | None, kernel: str | None = None
) -> dict[str, str]:
    """Find or build the images up to the guest's, whose root has `stacks` and whose kernel is of the series `kernel`.

    Returns their ids by stack. Raises BuildError, HostError.
    """
    from pqbed.artefacts import guest_contexts

    return _ensure(engine, guest_contexts(stacks, on_step, ca_bundle, kernel), on_step, ca_bundle)


def _ensure(
    engine: "Engine", contexts: Iterable["DockerContext"], on_step: OnStep, ca_bundle: Path | None
) -> dict[str, str]:
    from pqbed.artefacts import prepare_base
    from pqbed.beds.docker.images import ensure_image

    def make_base() -> Path:
        return prepare_base(on_step, ca_bundle)

    return {context.stack: ensure_image(engine, context, make_base, on_step=on_step) for context in contexts}


def make_netns(clock: Clock, on_step: OnStep, ca_bundle: Path | None) -> Bed:
    """Make the netns bed on the root of the stack."""
    from pqbed.artefacts import prepare_root
    from pqbed.beds.netns_bed import NetnsBed, RootFilesystem

    def prepare(stacks: Iterable[str]) -> "tuple[RootFilesystem, dict[str, str]]":
        path = prepare_root(on_step, ca_bundle, stacks)
        source = _put_in(path, stacks, on_step)
        return RootFilesystem(path=path, source=source), {"root": path.name, "source": Path(source).name}

    assert clock == "real"
    return NetnsBed(prepare)


def make_uml(clock: Clock, on_step: OnStep, ca_bundle: Path | None, kernel: str | None = None) -> Bed:
    """Make the uml bed: guests in containers if an engine for x86-64 answers, else as plain processes.

    `kernel` is the series of their kernel, None the default one.
    """
    make = _uml_in_containers if runs_guests(probe_engine().info) else make_uml_processes
    return make(clock, on_step, ca_bundle, kernel)


def make_uml_processes(clock: Clock, on_step: OnStep, ca_bundle: Path | None, kernel: str | None) -> Bed:
    """Make the uml bed with guests as plain processes."""
    from pqbed.artefacts import prepare_uml
    from pqbed.beds.uml.bed import UmlBed
    from pqbed.beds.uml.guest_process import start_guest_process

    @functools.cache
    def artefacts(stacks: tuple[str, ...]) -> "tuple[UmlArtefacts, str]":
        uml = prepare_uml(on_step, ca_bundle, stacks, kernel)
        return uml, _put_in(uml.root, stacks, on_step)

    def prepare(stacks: tuple[str, ...]) -> dict[str, str]:
        uml, source = artefacts(stacks)
        return {"kernel": f"{uml.kernel_version} {uml.kernel_hash}", "root": uml.root_hash, "source": Path(source).name}

    def start(lane: int, lane_clock: Clock, stacks: tuple[str, ...]) -> "LaneProcess":
        uml, source = artefacts(stacks)
        return start_guest_process(uml.kernel, uml.root, source, lane, lane_clock)

    return UmlBed(clock, prepare, start)


def _uml_in_containers(clock: Clock, on_step: OnStep, ca_bundle: Path | None, kernel: str | None) -> Bed:
    from pqbed.agent.cpu_affinity import pinned
    from pqbed.beds.docker.docker_sdk_engine import connect
    from pqbed.beds.docker.uml_container import open_uml_process
    from pqbed.beds.uml.bed import UmlBed
    from pqbed.beds.uml.guest_kernel_arguments import kernel_arguments

    engine = connect()

    @functools.cache
    def images(stacks: tuple[str, ...]) -> dict[str, str]:
        return ensure_guest_images(engine, stacks, on_step, ca_bundle, kernel)

    def start(lane: int, lane_clock: Clock, stacks: tuple[str, ...]) -> "LaneProcess":
        argv = pinned(lane, (GUEST_KERNEL, *kernel_arguments(GUEST_SOURCE, lane, lane_clock)))
        return open_uml_process(engine, images(stacks)[GUEST], argv, f"guest {lane}")

    return UmlBed(clock, lambda stacks: dict(images(stacks)), start)


def make_fake(clock: Clock, on_step: OnStep, ca_bundle: Path | None) -> Bed:  # noqa: ARG001 (it needs nothing)
    """Make the fake bed."""
    from pqbed.beds.fake_bed import FakeBed

    return FakeBed(clock=clock)


MAKERS: dict[BedName, MakeBed] = {
    "docker": make_docker,
    "netns": make_netns,
    "uml": make_uml,
    "fake": make_fake,
}


def _put_in(root: Path, stacks: Iterable[str], on_step: OnStep) -> str:
    """Put the agent's source and the added stacks among `stacks` into `root`; return the source's path inside."""
    from pqbed.artefacts import put_source
    from pqbed.artefacts.user_stacks import put_stacks

    put_stacks(root, stacks)
    return "/" + put_source(root, on_step=on_step).relative_to(root).as_posix()
