"""Put each bed together from its parts. Nothing is built or started here, and only the bed asked for is imported."""

import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from pqbed.beds.bed import Bed, BedName
from pqbed.spec.options import Clock

if TYPE_CHECKING:
    from pqbed.beds.artefacts import UmlArtefacts
    from pqbed.beds.netns import Root
    from pqbed.beds.process import LaneProcess

OnStep = Callable[[str, float | None], None]


class MakeBed(Protocol):
    """Return a bed on `clock`; `on_step` and `ca_bundle` serve its `prepare`."""

    def __call__(self, clock: Clock, on_step: OnStep, ca_bundle: Path | None) -> Bed: ...


def make_docker(clock: Clock, on_step: OnStep, ca_bundle: Path | None) -> Bed:
    """Make the docker bed, whose package says how."""
    docker = importlib.import_module("pqbed.beds.docker")
    return cast("Bed", docker.make_bed(clock=clock, on_step=on_step, ca_bundle=ca_bundle))


def make_netns(clock: Clock, on_step: OnStep, ca_bundle: Path | None) -> Bed:
    """Make the netns bed on the root of the stack."""
    from pqbed.beds.artefacts import prepare_root
    from pqbed.beds.netns import NetnsBed, Root

    def prepare() -> "tuple[Root, dict[str, str]]":
        path = prepare_root(on_step, ca_bundle)
        source = _source_in(path)
        return Root(path=path, source=source), {"root": path.name, "source": Path(source).name}

    assert clock == "real"
    return NetnsBed(prepare)


def make_uml(clock: Clock, on_step: OnStep, ca_bundle: Path | None) -> Bed:
    """Make the uml bed: guests as plain processes of this user."""
    from pqbed.beds.artefacts import prepare_uml
    from pqbed.beds.uml.bed import UmlBed
    from pqbed.beds.uml.plain import start_plain_guest

    @functools.cache
    def artefacts() -> "tuple[UmlArtefacts, str]":
        made = prepare_uml(on_step, ca_bundle)
        return made, _source_in(made.root)

    def prepare() -> dict[str, str]:
        made, source = artefacts()
        kernel = f"{made.kernel_version} {made.kernel_hash}"
        return {"kernel": kernel, "root": made.root_hash, "source": Path(source).name}

    def start(lane: int, lane_clock: Clock) -> "LaneProcess":
        made, source = artefacts()
        return start_plain_guest(made.kernel, made.root, source, lane, lane_clock)

    return UmlBed(clock, prepare, start)


def make_fake(clock: Clock, on_step: OnStep, ca_bundle: Path | None) -> Bed:  # noqa: ARG001 (it needs nothing)
    """Make the fake bed."""
    from pqbed.beds.fake import FakeBed

    return FakeBed(clock=clock)


MAKERS: dict[BedName, MakeBed] = {
    "docker": make_docker,
    "netns": make_netns,
    "uml": make_uml,
    "fake": make_fake,
}


def _source_in(root: Path) -> str:
    """Put the agent's source into `root`; return its path as seen from inside."""
    from pqbed.beds.artefacts import put_source

    return "/" + put_source(root).relative_to(root).as_posix()
